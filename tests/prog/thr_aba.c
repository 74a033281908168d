// A store-exclusive fails when the value has changed and changed back since the load-exclusive, if the program can tell: it
// has read memory in between.  A handshake that changes it in time, and a list whose pop reads what it will unlink.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdint.h>

enum { NODES = 8, ROUNDS = 3000, THREADS = 3, TRIES = 20 };

struct node { struct node *next; _Atomic int owned; };

#ifdef __aarch64__
// load-exclusive of *p; *ready = 1; waits for *done; store-exclusive of the value + 1; 0 if it was stored
static uint64_t
handshake(uint64_t *p, atomic_uint *ready, atomic_uint *done)
{
	uint64_t v, fail, t;

	__asm__ volatile("ldaxr %0, [%3]\n mov %w2, 1\n str %w2, [%4]\n"
	    "1: ldar %w2, [%5]\n cbz %w2, 1b\n add %0, %0, 1\n stlxr %w1, %0, [%3]"
	    : "=&r"(v), "=&r"(fail), "=&r"(t) : "r"(p), "r"(ready), "r"(done) : "memory");
	return (uint32_t)fail;
}

static struct node *
pop(struct node **head)
{
	struct node *n, *next;
	uint32_t fail;

	__asm__ volatile("1: ldaxr %0, [%3]\n cbz %0, 2f\n ldr %1, [%0]\n stlxr %w2, %1, [%3]\n cbnz %w2, 1b\n2:"
	    : "=&r"(n), "=&r"(next), "=&r"(fail) : "r"(head) : "memory");
	return n;
}

static void
push(struct node **head, struct node *n)
{
	struct node *old;
	uint32_t fail;

	__asm__ volatile("1: ldaxr %0, [%2]\n str %0, [%3]\n stlxr %w1, %3, [%2]\n cbnz %w1, 1b"
	    : "=&r"(old), "=&r"(fail) : "r"(head), "r"(n) : "memory");
}
#else
static uint64_t
handshake(uint64_t *p, atomic_uint *ready, atomic_uint *done)
{
	uint64_t v, fail, t;

	__asm__ volatile("lr.d.aqrl %0, (%3)\n li %2, 1\n fence rw, w\n sw %2, (%4)\n"
	    "1: lw %2, (%5)\n beqz %2, 1b\n fence r, rw\n addi %0, %0, 1\n sc.d.aqrl %1, %0, (%3)"
	    : "=&r"(v), "=&r"(fail), "=&r"(t) : "r"(p), "r"(ready), "r"(done) : "memory");
	return fail;
}

static struct node *
pop(struct node **head)
{
	struct node *n, *next;
	uint64_t fail;

	__asm__ volatile("1: lr.d.aqrl %0, (%3)\n beqz %0, 2f\n ld %1, (%0)\n sc.d.aqrl %2, %1, (%3)\n bnez %2, 1b\n2:"
	    : "=&r"(n), "=&r"(next), "=&r"(fail) : "r"(head) : "memory");
	return n;
}

static void
push(struct node **head, struct node *n)
{
	struct node *old;
	uint64_t fail;

	__asm__ volatile("1: lr.d.aqrl %0, (%2)\n sd %0, (%3)\n fence rw, w\n sc.d.aqrl %1, %3, (%2)\n bnez %1, 1b"
	    : "=&r"(old), "=&r"(fail) : "r"(head), "r"(n) : "memory");
}
#endif

static _Alignas(64) uint64_t word = 5;
static _Alignas(64) atomic_uint ready, done;

static void *
changer(void *arg)
{
	(void)arg;
	for (int i = 0; i < TRIES; i++) {
		while (!ready)
			;
		ready = 0;
		__atomic_store_n(&word, 6, __ATOMIC_SEQ_CST);
		__atomic_store_n(&word, 5, __ATOMIC_SEQ_CST);
		done = 1;
	}
	return 0;
}

static _Alignas(64) struct node *head;
static _Atomic int twice;

static void *
user(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		struct node *a = pop(&head), *b = pop(&head);

		if (a && atomic_fetch_add(&a->owned, 1))
			twice++;
		if (b && atomic_fetch_add(&b->owned, 1))
			twice++;
		if (a)
			a->owned = 0, push(&head, a);
		if (b)
			b->owned = 0, push(&head, b);
	}
	return 0;
}

int
main(void)
{
	static struct node node[NODES];
	pthread_t t[THREADS];
	int stored = 0, left = 0;

	pthread_create(&t[0], 0, changer, 0);
	for (int i = 0; i < TRIES; i++) {
		done = 0;
		stored += !handshake(&word, &ready, &done);
	}
	pthread_join(t[0], 0);
	printf("stored %d\n", stored);
	for (int i = 0; i < NODES; i++)
		push(&head, &node[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], 0, user, 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], 0);
	while (left < NODES && pop(&head))
		left++;
	printf("%d nodes, %d owned twice\n", left, twice);
	return 0;
}
