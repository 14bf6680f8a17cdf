"""Bugs that were reported in public, as small models, with the remedies that were named there.

The search was adjusted with these at hand: they test it, and do not measure what it finds elsewhere.
"""

import asyncio
import threading

from interleave import Model, go, goroutine, invariant, param, postcondition, task, thread


class ObjectCount(Model):
    """forseti-security/forseti-security#3080: a lock around the increment."""

    count = 0
    stored = ()

    def store(self, name):
        self.count += 1

    @thread(2)
    def worker(self, i):
        self.store(i)

    @postcondition
    def every_object_counts(self):
        return self.count == 2


class RedisPool(Model):
    """aio-libs/aiocache#222: a lock around the look whether there is a pool, and its creation."""

    pool = None
    created = 0

    async def create_pool(self):
        await asyncio.sleep(0.1)
        self.created += 1
        return self.created

    async def connect(self):
        if self.pool is None:
            self.pool = await self.create_pool()
        return self.pool

    @task(2)
    async def request(self):
        await self.connect()

    @invariant
    def one_pool(self):
        return self.created <= 1


class Singleton(Model):
    """tmancal74/quantarhei#307: a lock around the look for an instance, and its creation."""

    instances = {}  # noqa: RUF012
    made = 0

    def make(self):
        with threading.Lock():
            self.made += 1
        return self.made

    def instance(self, name):
        if name not in self.instances:
            self.instances[name] = self.make()
        return self.instances[name]

    @thread(2)
    def user(self):
        self.instance("manager")

    @postcondition
    def made_once(self):
        return self.made == 1


class LogRotation(Model):
    """box/ClusterRunner#48: an RLock, as what runs under the lock comes to take it."""

    lock = threading.Lock()
    size = 0

    def emit(self, is_summary=False):
        with self.lock:
            self.size += 1
            if self.size == 2 and not is_summary:
                self.rotate()

    def rotate(self):
        self.size = 0
        self.emit(is_summary=True)

    @thread(2)
    def worker(self):
        self.emit()


class FastaFile(Model):
    """mdshw5/pyfaidx#94: `with` around all that runs under the lock, so that it is given back."""

    lock = threading.Lock()
    is_closed = True
    failed = 0

    def seek(self):
        if self.is_closed:
            raise ValueError("seek of closed file")

    def fetch(self):
        self.lock.acquire()
        self.seek()
        self.lock.release()

    @thread(2)
    def reader(self):
        try:
            self.fetch()
        except ValueError:
            with self.lock:
                self.failed += 1


class WaitedFor(Model):
    """moby/moby#40994: a channel with room for one, as nobody receives after a timeout."""

    @goroutine
    def main(self):
        done = go.Chan()

        def remove():
            done.send(True)

        go.spawn(remove)
        match go.select(go.recv(done), go.recv(go.time.After(go.time.Second))):
            case 0, _:
                return


class ClientPool(Model):
    """apache/gravitino#4183: notify_all, as notify may wake one who cannot go on."""

    free = 1
    closed = 0
    condition = threading.Condition()

    @thread(2)
    def user(self):
        with self.condition:
            while not self.free:
                self.condition.wait()
            self.free -= 1
        with self.condition:
            self.free += 1
            self.condition.notify()

    @thread
    def closer(self):
        with self.condition:
            while self.closed or self.free != 1:
                self.condition.wait()
            self.closed = 1


class Requests(Model):
    """mercari/gaurun#15: an atomic operation that adds."""

    count = go.atomic.Int64()
    wg = go.WaitGroup()

    def push(self):
        go.defer(self.wg.Done)
        self.count.Store(self.count.Load() + 1)

    @goroutine
    def main(self):
        self.wg.Add(2)
        go.spawn(self.push)
        go.spawn(self.push)
        self.wg.Wait()
        assert self.count.Load() == 2


class Mixer(Model):
    """jubatus/jubatus#180: one order, first the lock of the model, then that of the mixer."""

    model = threading.Lock()
    mixer = threading.Lock()
    updates = 0

    @thread
    def update(self):
        with self.model, self.mixer:
            self.updates += 1

    @thread
    def get_diff(self):
        with self.mixer, self.model:
            self.updates += 1


class UserConfig(Model):
    """meltano/meltano#10047: to look again under the lock; to look under the lock is less."""

    service = None
    made = 0
    lock = threading.Lock()

    def get(self):
        if self.service is None:
            with self.lock:
                self.made += 1
                self.service = self.made
        return self.service

    @thread(2)
    def user(self):
        self.get()

    @postcondition
    def made_once(self):
        return self.made == 1


class ThreadPool(Model):
    """bshoshany/thread-pool#108: the lock around the change that is told of, and the signal."""

    mu = go.Mutex()
    cond = go.NewCond(mu)
    stopping = go.atomic.Bool()
    wg = go.WaitGroup()

    def worker(self):
        go.defer(self.wg.Done)
        self.mu.Lock()
        while not self.stopping.Load():
            self.cond.Wait()
        self.mu.Unlock()

    @goroutine
    def main(self):
        self.wg.Add(1)
        go.spawn(self.worker)
        self.stopping.Store(True)
        self.cond.Broadcast()
        self.wg.Wait()


class Workers(Model):
    """tkengo/highway#4: `while` around the wait, as what it waited for may be gone."""

    WORKERS = param(2)
    condition = threading.Condition()
    queue = 0

    @thread(WORKERS)
    def worker(self):
        with self.condition:
            if not self.queue:
                self.condition.wait()
            assert self.queue
            self.queue -= 1

    @thread
    def reader(self):
        for _ in range(self.WORKERS):
            with self.condition:
                self.queue += 1
                self.condition.notify_all()
