# objects.py - tasks that pass packets in queues: classes, method calls, attributes, as richards does
class Packet:
    def __init__(self, kind, link):
        self.kind, self.link, self.data = kind, link, [0] * 4


class Task:
    def __init__(self, name, peer):
        self.name, self.peer, self.queue, self.seen, self.state = name, peer, None, 0, 7

    def put(self, p):
        p.link = self.queue
        self.queue = p

    def step(self, tasks):
        p = self.queue
        if p is None:
            return False
        self.queue = p.link
        self.seen += 1
        self.work(p)
        tasks[self.peer].put(p)
        return True

    def work(self, p):
        raise NotImplementedError


class Counter(Task):
    def work(self, p):
        for i in range(len(p.data)):
            p.data[i] += self.name


class Mixer(Task):
    def work(self, p):
        self.state = (self.state * 1103515245 + p.data[p.kind & 3]) & 0x7fffffff
        p.kind = self.state >> 8


tasks = [Counter(0, 1), Mixer(1, 2), Counter(2, 3), Mixer(3, 0)]
for k in range(20):
    tasks[k & 3].put(Packet(k, None))
for _ in range(120000):
    for t in tasks:
        t.step(tasks)
print(sum(t.seen for t in tasks), tasks[1].state)
