# Threads, fork, children, signals.
p (1..8).map { |i| Thread.new { (1..20000).inject(:+) * i } }.map(&:value).sum
Process.wait fork { exit 3 }
p $?.exitstatus, `echo child`
begin
  Process.kill :TERM, $$
  sleep 1
rescue SignalException => e
  p e.class
end
trap('USR1') { $got = 1 }
Process.kill :USR1, $$
sleep 0.1
p $got
