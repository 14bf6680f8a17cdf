"""A script as it is: it becomes a test, too."""

import threading

balance = {"left": 2, "right": 0}
lock = threading.Lock()


def transfer():
    with lock:
        balance["left"] -= 1
        balance["right"] += 1


if __name__ == "__main__":
    threads = [threading.Thread(target=transfer) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert balance == {"left": 0, "right": 2}
