"""Concurrency kernels of GoBench (Yuan et al., GoBench: a benchmark suite of real-world Go concurrency
bugs, CGO 2021), which are not in models/: written down in the language of models, name for name, with
fewer rounds and workers. Each gives what the suite says of it, and its fix gives nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from goroutines import go_model, kinds

from interleave import check

KUBERNETES_1321 = """class MuxWatcher:
    def __init__(self, mux, id):
        self.result = go.Chan()
        self.m = mux
        self.id = id

    def Stop(self):
        self.m.stopWatching(self.id)


class Mux:
    def __init__(self):
        self.lock = go.Mutex()
        self.watchers = {}

    def distribute(self, globalMtx):
        self.lock.Lock()
        go.defer(self.lock.Unlock)
        globalMtx.Lock()
        for w in self.watchers.values():
            w.result.send(None)
        globalMtx.Unlock()

    def loop(self, globalMtx):
        for i in range(2):
            self.distribute(globalMtx)

    def Watch(self, globalMtx):
        mw = MuxWatcher(self, len(self.watchers))
        globalMtx.Lock()
        self.watchers[mw.id] = mw
        globalMtx.Unlock()
        return mw

    def stopWatching(self, id):
        self.lock.Lock()
        go.defer(self.lock.Unlock)
        w = self.watchers.get(id)
        if w is None:
            return
        del self.watchers[id]
        w.result.close()


class Kubernetes1321(Model):
    globalMtx = go.Mutex()

    @goroutine
    def main(self):
        m = Mux()
        go.spawn(m.loop, self.globalMtx)
        w = m.Watch(self.globalMtx)
        w.Stop()
"""

COCKROACH_1055 = """class Stopper:
    def __init__(self):
        self.stopper = go.Chan()
        self.stop = go.WaitGroup()
        self.mu = go.Mutex()
        self.draining = go.atomic.Int32()
        self.drain = go.WaitGroup()

    def AddWorker(self):
        self.stop.Add(1)

    def ShouldStop(self):
        return self.stopper

    def SetStopped(self):
        self.stop.Done()

    def Quiesce(self):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        self.draining.Store(1)
        self.drain.Wait()
        self.draining.Store(0)

    def Stop(self):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        self.draining.Store(1)
        self.drain.Wait()
        self.stopper.close()
        self.stop.Wait()

    def StartTask(self):
        if self.draining.Load() == 0:
            self.mu.Lock()
            go.defer(self.mu.Unlock)
            self.drain.Add(1)
            return True
        return False


class Cockroach1055(Model):
    @goroutine
    def main(self):
        stoppers = [Stopper() for _ in range(1)]
        for s in stoppers:
            s.AddWorker()
            def work():
                s.StartTask()
                s.ShouldStop().recv()
                s.SetStopped()
            go.spawn(work)
        done = go.Chan()
        def stop():
            for s in stoppers:
                s.Quiesce()
            for s in stoppers:
                s.Stop()
            done.close()
        go.spawn(stop)
        done.recv()
"""

ETCD_7492 = """class Etcd7492(Model):
    tokens = {}
    addSimpleTokenCh = go.Chan(1)
    stopCh = go.Chan()
    mu = go.RWMutex()

    def run(self):
        ticker = go.time.NewTicker(go.time.Nanosecond)
        go.defer(ticker.Stop)
        while True:
            match go.select(go.recv(self.addSimpleTokenCh), go.recv(ticker.C), go.recv(self.stopCh)):
                case 0, _:
                    self.tokens["1"] = True
                case 1, _:
                    for t in list(self.tokens):
                        self.deleter(t)
                        del self.tokens[t]
                case 2, waitCh:
                    waitCh.send(None)
                    return

    def deleter(self, token):
        self.mu.Lock()
        go.defer(self.mu.Unlock)

    def assign(self):
        self.mu.Lock()
        self.addSimpleTokenCh.send(None)
        self.mu.Unlock()

    def stop(self):
        waitCh = go.Chan()
        self.stopCh.send(waitCh)
        waitCh.recv()
        self.stopCh.close()

    @goroutine
    def main(self):
        go.spawn(self.run)
        go.defer(self.stop)
        wg = go.WaitGroup()
        wg.Add(3)
        for _ in range(3):
            def work():
                go.defer(wg.Done)
                self.assign()
            go.spawn(work)
        wg.Wait()
"""

GRPC_1353_AND_OTHERS = """class RoundRobin:
    def __init__(self):
        self.mu = go.Mutex()
        self.addrCh = go.Chan()

    def watchAddrUpdates(self):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        self.addrCh.send(True)

    def down(self):
        self.mu.Lock()
        go.defer(self.mu.Unlock)

    def Up(self):
        def up():
            self.down()
        return up

    def Close(self):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        self.addrCh.close()

class AddrConn:
    def __init__(self, down):
        self.mu = go.Mutex()
        self.down = down

    def tearDown(self):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        if self.down is not None:
            self.down()

class Grpc1353(Model):
    helpCh = go.Chan()

    def lbWatcher(self, rr, conns):
        for addr in rr.addrCh:
            for c in conns:
                c.tearDown()

    @goroutine
    def main(self):
        rr = RoundRobin()
        conns = [AddrConn(rr.Up()), AddrConn(rr.Up())]
        def updates():
            for i in range(2):
                rr.watchAddrUpdates()
            self.helpCh.close()
        go.spawn(updates)
        go.spawn(self.lbWatcher, rr, conns)
        self.helpCh.recv()
        rr.Close()

class Kubernetes10182(Model):
    lock = go.RWMutex()
    ch = go.Chan()

    def syncBatch(self):
        self.ch.recv()
        self.DeletePodStatus()

    def DeletePodStatus(self):
        self.lock.Lock()
        go.defer(self.lock.Unlock)

    def SetPodStatus(self):
        self.lock.Lock()
        go.defer(self.lock.Unlock)
        self.ch.send(True)

    @goroutine
    def main(self):
        def start():
            for i in range(2):
                self.syncBatch()
        go.spawn(start)
        go.spawn(self.SetPodStatus)
        go.spawn(self.SetPodStatus)

class Kubernetes5316(Model):
    def finishRequest(self, timeout, fn):
        okCh = go.Chan()
        errCh = go.Chan()
        def run():
            if (err := fn()) is not None:
                errCh.send(err)
            else:
                okCh.send(True)
        go.spawn(run)
        match go.select(go.recv(okCh), go.recv(errCh), go.recv(go.time.After(timeout))):
            case _: pass

    @goroutine
    def main(self):
        def fn():
            go.time.Sleep(2 * go.time.Millisecond)
            if choose([True, False]):
                return go.errors.New("Error")
            return None
        go.spawn(self.finishRequest, go.time.Millisecond, fn)
"""

ISTIO_16224 = """
class ConfigStoreMonitor:
    def __init__(self):
        self.eventCh = go.Chan()
        self.handler = None

    def Run(self, stop):
        while True:
            match go.select(go.recv(stop), go.recv(self.eventCh)):
                case 0, _:
                    return
                case 1, event:
                    self.handler(event)

    def ScheduleProcessEvent(self, event):
        self.eventCh.send(event)


class Istio16224(Model):
    @goroutine
    def main(self):
        controller = ConfigStoreMonitor()
        lock = go.Mutex()
        done = go.Chan()

        def handler(event):
            lock.Lock()
            go.defer(lock.Unlock)
            done.send(None)

        controller.handler = handler
        stop = go.Chan()
        go.spawn(controller.Run, stop)

        def create():
            controller.ScheduleProcessEvent("create")

        go.spawn(create)
        lock.Lock()
        lock.Unlock()
        done.recv()
        lock.Lock()
        lock.Unlock()
        stop.close()
"""

MOBY_4951 = """
class DeviceSet:
    def __init__(self):
        self.mu = go.Mutex()
        self.nrDevices = 1

    def lock_device(self, info):
        self.mu.Lock()
        info.lock.Lock()
        self.mu.Unlock()
        self.mu.Lock()

    def DeleteDevice(self, info):
        self.lock_device(info)
        go.defer(self.mu.Unlock)
        go.defer(info.lock.Unlock)
        self.nrDevices = 0

    def remove(self, info):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        info.lock.Lock()
        go.defer(info.lock.Unlock)


class Info:
    def __init__(self):
        self.lock = go.Mutex()


class Moby4951(Model):
    @goroutine
    def main(self):
        devices, info = DeviceSet(), Info()
        go.spawn(devices.DeleteDevice, info)
        devices.remove(info)
"""

SERVING_2137 = """class Request:
    def __init__(self):
        self.lock = go.Mutex()
        self.accepted = go.Chan(1, of=bool)

class Breaker:
    def __init__(self, queueDepth, maxConcurrency):
        self.pendingRequests = go.Chan(queueDepth + maxConcurrency)
        self.activeRequests = go.Chan(maxConcurrency)

    def Maybe(self, thunk):
        match go.select(go.send(self.pendingRequests, None), default=True):
            case -1, _:
                return False
            case 0, _:
                self.activeRequests.send(None)
                def release():
                    self.activeRequests.recv()
                    self.pendingRequests.recv()
                go.defer(release)
                thunk()
                return True

    def concurrentRequest(self):
        r = Request()
        r.lock.Lock()
        start = go.WaitGroup()
        start.Add(1)
        def run():
            start.Done()
            def thunk():
                r.lock.Lock()
                r.lock.Unlock()
            ok = self.Maybe(thunk)
            r.accepted.send(ok)
        go.spawn(run)
        start.Wait()
        return r

    def concurrentRequests(self, n):
        return [self.concurrentRequest() for _ in range(n)]

def unlock(req):
    req.lock.Unlock()
    ok = req.accepted.recv()
    req.accepted.send(ok)

class Serving2137(Model):
    @goroutine
    def main(self):
        b = Breaker(1, 1)
        for lc in b.concurrentRequests(2):
            unlock(lc)
"""

GRPC_3017 = """class Entry:
    def __init__(self, sc):
        self.sc = sc
        self.cancel = None
        self.abortDeleting = False

class LbCacheClientConn:
    def __init__(self):
        self.mu = go.Mutex()
        self.subConnCache = {}
        self.subConnToAddr = {}

    def NewSubConn(self, addr):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        entry = self.subConnCache.get(addr)
        if entry is not None:
            entry.cancel()
            del self.subConnCache[addr]
            return entry.sc
        self.subConnToAddr[1] = addr
        return 1

    def RemoveSubConn(self, sc):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        addr = self.subConnToAddr.get(sc)
        if addr is None:
            return
        entry = self.subConnCache.get(addr)
        if entry is not None:
            if entry.sc != sc:
                del self.subConnToAddr[sc]
            return
        entry = Entry(sc)
        self.subConnCache[addr] = entry

        def expired():
            self.mu.Lock()
            if entry.abortDeleting:
                return  # missing unlock
            del self.subConnToAddr[sc]
            del self.subConnCache[addr]
            self.mu.Unlock()

        timer = go.time.AfterFunc(go.time.Nanosecond, expired)

        def cancel():
            if not timer.Stop():
                entry.abortDeleting = True

        entry.cancel = cancel

class Grpc3017(Model):
    ROUNDS = param(2)
    @goroutine
    def main(self):
        ccc = LbCacheClientConn()
        sc = ccc.NewSubConn(1)
        done = go.Chan()
        def work():
            nonlocal sc
            for i in range(self.ROUNDS):
                ccc.RemoveSubConn(sc)
                sc = ccc.NewSubConn(1)
            done.close()
        go.spawn(work)
        done.recv()
"""

KUBERNETES_70277_AND_26980 = """def WaitFor(wait, fn, done):
    c = wait(done)
    while True:
        _, open = c.recv_ok()
        ok, err = fn()
        if err is not None:
            return err
        if ok:
            return None
        if not open:
            break
    return None

def poller(interval, timeout):
    def wait(done):
        ch = go.Chan()
        def poll():
            go.defer(ch.close)
            tick = time.NewTicker(interval)
            go.defer(tick.Stop)
            after = go.nil
            if timeout != 0:
                timer = time.NewTimer(timeout)
                after = timer.C
                go.defer(timer.Stop)
            while True:
                match go.select(go.recv(tick.C), go.recv(after), go.recv(done)):
                    case 0, _:
                        go.select(go.send(ch, None), default=True)
                    case 1, _:
                        return
                    case 2, _:
                        return
        go.spawn(poll)
        return ch
    return wait

class Kubernetes70277(Model):
    @goroutine
    def main(self):
        stopCh = go.Chan()
        go.defer(stopCh.close)
        waitFunc = poller(time.Millisecond, 20 * time.Second)
        doneCh = None
        def wait(done):
            nonlocal doneCh
            doneCh = done
            return waitFunc(done)
        WaitFor(wait, lambda: (True, None), stopCh)
        doneCh.recv()

class Kubernetes26980(Model):
    def add(self, p):
        p.lock.Lock()
        go.defer(p.lock.Unlock)
        p.pending.append(1)
        p.cond.Broadcast()
    def pop(self, p, stopCh):
        p.lock.Lock()
        go.defer(p.lock.Unlock)
        while True:
            while len(p.pending) == 0:
                match go.select(go.recv(stopCh), default=True):
                    case 0, _: return
                p.cond.Wait()
            stopCh.recv()
            return
    @goroutine
    def main(self):
        pl = Listener()
        stopCh = go.Chan()
        go.defer(stopCh.close)
        self.add(pl)
        go.spawn(self.pop, pl, stopCh)
        resultCh = go.Chan()
        def f():
            pl.lock.Lock()
            resultCh.close()
        go.spawn(f)
        resultCh.recv()
        pl.lock.Unlock()

class Listener:
    def __init__(self):
        self.lock = go.RWMutex()
        self.cond = go.NewCond(self.lock)
        self.pending = []
"""

CASES = [
    (KUBERNETES_1321, "Kubernetes1321", {"deadlock"}, (95, 120)),
    (COCKROACH_1055, "Cockroach1055", {"deadlock"}, (191, 368)),
    (ETCD_7492, "Etcd7492", {"deadlock"}, (4_787, 15_274)),
    (GRPC_1353_AND_OTHERS, "Grpc1353", {"deadlock"}, (239, 451)),
    (GRPC_1353_AND_OTHERS, "Kubernetes10182", {"stuck"}, (112, 144)),
    (GRPC_1353_AND_OTHERS, "Kubernetes5316", {"stuck"}, (39, 49)),
    (ISTIO_16224, "Istio16224", {"deadlock"}, (48, 74)),
    (MOBY_4951, "Moby4951", {"deadlock"}, (33, 33)),
    (SERVING_2137, "Serving2137", {"deadlock"}, (142, 269)),
    (GRPC_3017, "Grpc3017", {"deadlock", "stuck"}, (722, 1_399)),
    (KUBERNETES_70277_AND_26980, "Kubernetes70277", {"deadlock", "stuck"}, (40, 64)),
    (KUBERNETES_70277_AND_26980, "Kubernetes26980", {"deadlock"}, (38, 48)),
]

FIXES = [
    (GRPC_3017, "Grpc3017", "return  # missing unlock", "self.mu.Unlock(); return"),
    (KUBERNETES_70277_AND_26980, "Kubernetes70277", "doneCh.recv()", "pass"),
    # Room for the answer that nobody may come to take.
    (GRPC_1353_AND_OTHERS, "Kubernetes5316", "Ch = go.Chan()", "Ch = go.Chan(1)"),
    (ISTIO_16224, "Istio16224", "done = go.Chan()", "done = go.Chan(1)"),
]


LARGEST = 1_000
"""States of a kernel that the reference engine is asked for as well."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "name", "expected", "size", "engine"),
    [
        (*case, engine)
        for case in CASES
        for engine in ("native", "reference")
        if engine == "native" or case[-1][0] <= LARGEST
    ],
)
def test_a_kernel(
    tmp_path: Path, text: str, name: str, expected: set[str], size: tuple[int, int], engine: str
) -> None:
    go_model(tmp_path, text)
    (result,) = check(tmp_path / "model.py", model=name, engine=engine).models
    assert set(kinds(result)) == expected
    assert (result.states, result.transitions) == size


@pytest.mark.slow
@pytest.mark.parametrize(("text", "name", "wrong", "right"), FIXES)
def test_a_kernel_that_is_mended(
    tmp_path: Path, text: str, name: str, wrong: str, right: str
) -> None:
    mended = text.replace(wrong, right)
    assert mended != text
    go_model(tmp_path, mended)
    (result,) = check(tmp_path / "model.py", model=name).models
    assert kinds(result) == []
