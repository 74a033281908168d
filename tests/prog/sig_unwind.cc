// An exception thrown in a handler of a fault unwinds through the signal frame.
// flags: -fnon-call-exceptions -fasynchronous-unwind-tables
#include <csignal>
#include <cstdio>
#include <stdexcept>
static void onsegv(int)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGSEGV);
	sigprocmask(SIG_UNBLOCK, &s, nullptr);
	throw std::runtime_error("caught a fault");
}
struct noisy { ~noisy() { std::puts("destructor"); } };
__attribute__((noinline)) static int touch(volatile int *p) { noisy n; return *p; }
int main()
{
	struct sigaction sa = {};
	sa.sa_handler = onsegv;
	sigaction(SIGSEGV, &sa, nullptr);
	for (int i = 0; i < 3; i++)
		try {
			touch(reinterpret_cast<int *>(8));
			std::puts("no fault");
		} catch (const std::exception &e) {
			std::puts(e.what());
		}
	return 0;
}
