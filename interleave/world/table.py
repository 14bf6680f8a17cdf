"""What is known of code that is not the model's own, by name.

A name is that of a module, or of a function, class or method in one (`datetime.datetime.now`). The
longest name here that a thing is in decides: `datetime` is pure, `datetime.datetime.now` refused.
What no name here covers is followed where it is written in Python, and refused where it is C code:
see `interleave.world.policy`.
"""

from __future__ import annotations

MODELLED = {
    "_queue": "queue",
    "_asyncio": "asyncio",
    "_thread": "threading",
    "concurrent.futures": "futures",
    "concurrent.futures._base": "futures",
    "concurrent.futures.process": "futures",
    "concurrent.futures.thread": "futures",
    "contextvars": "contextvars",
    "_contextvars": "contextvars",
    "_heapq": "heapq",
    "asyncio": "asyncio",
    "asyncio.base_events": "asyncio",
    "asyncio.events": "asyncio",
    "asyncio.futures": "asyncio",
    "asyncio.locks": "asyncio",
    "asyncio.queues": "asyncio",
    "asyncio.runners": "asyncio",
    "asyncio.taskgroups": "asyncio",
    "asyncio.tasks": "asyncio",
    "asyncio.threads": "asyncio",
    "asyncio.timeouts": "asyncio",
    "ctypes": "multiprocessing",
    "heapq": "heapq",
    "logging": "logging",
    "logging.handlers": "logging",
    "multiprocessing": "multiprocessing",
    "multiprocessing.connection": "multiprocessing",
    "multiprocessing.context": "multiprocessing",
    "multiprocessing.process": "multiprocessing",
    "multiprocessing.queues": "multiprocessing",
    "multiprocessing.sharedctypes": "multiprocessing",
    "multiprocessing.synchronize": "multiprocessing",
    "queue": "queue",
    "sys": "sys",
    "threading": "threading",
    "time": "time",
}
"""Standard module -> the file of `interleave.stdlib` that models it."""

COUNTERPARTS = {
    **MODELLED,
    "dataclasses": "dataclasses",
    "functools": "functools",
    "_functools": "functools",
    "itertools": "itertools",
    "json": "json",
    "os": "os",
    "pickle": "pickle",
    "_pickle": "pickle",
    "nt": "os",
    "posix": "os",
    "signal": "signal",
    "_signal": "signal",
    "traceback": "traceback",
    "weakref": "weakref",
    "_weakref": "weakref",
    "_weakrefset": "weakref",
}
"""The same, and those of modules that run as they are but for some of their objects."""

INSIDE_MODELLED = {
    "_ctypes", "_multiprocessing", "_posixshmem", "_threading_local", "builtins.id", "concurrent",
    "logging.Formatter.formatException", "logging.Formatter.formatTime",
    "logging.Handler.handleError", "selectors",
}  # fmt: skip
"""What modelled modules are made of, and what has no module of its own that is modelled."""

BASES = {
    "asyncio.mixins._LoopBoundMixin", "asyncio.queues.LifoQueue", "concurrent.futures._base.Future",
    "asyncio.queues.PriorityQueue", "asyncio.queues.Queue",
    "queue.LifoQueue", "queue.PriorityQueue", "queue.Queue",
    "threading.Barrier", "threading.BoundedSemaphore", "threading.Condition", "threading.Event",
    "threading.Semaphore", "threading.Timer",
}  # fmt: skip
"""Classes of modelled modules of which the source is followed where classes of the model derive
from them.
"""

PURE = {
    # The language itself: what the interpreter, the import system and classes are made of.
    "__future__", "_abc", "_ast", "_codecs", "_collections_abc", "_compat_pickle", "_py_abc",
    "_string", "_typing", "_warnings", "_weakrefset", "abc", "ast", "builtins", "codecs", "codeop",
    "copyreg", "dis", "encodings", "enum", "errno", "importlib._bootstrap",
    "importlib._bootstrap_external", "_frozen_importlib", "_frozen_importlib_external",
    "inspect", "keyword", "opcode", "_opcode", "symtable", "_symtable", "token", "tokenize",
    "_tokenize", "traceback", "types", "typing", "typing_extensions", "warnings",
    # Data types, and what is done with them.
    "_bisect", "_collections", "_csv", "_functools", "_operator", "_pickle", "array", "bisect",
    "collections", "copy", "csv", "dataclasses", "functools", "graphlib",
    "itertools", "operator", "pickle", "pickletools", "pprint", "reprlib",
    # Numbers and dates.
    "_datetime", "_decimal", "_pydatetime", "_pydecimal", "_statistics", "_strptime", "calendar",
    "cmath", "colorsys", "datetime", "decimal", "fractions", "math", "numbers", "statistics",
    # Text.
    "_json", "_markupbase", "_sre", "configparser", "difflib", "fnmatch", "html", "json", "re",
    "shlex", "sre_compile", "sre_constants", "sre_parse", "string", "stringprep", "textwrap",
    "tomllib", "unicodedata", "urllib.parse",
    # Bytes, digests and compression.
    "_blake2", "_bz2", "_compression", "_hashlib", "_lzma", "_md5", "_sha1", "_sha2", "_sha256",
    "_sha3", "_sha512", "_struct", "base64", "binascii", "bz2", "hashlib", "hmac", "lzma", "quopri",
    "struct", "zlib",
    # Names that are looked up nowhere; and what models are written in.
    "genericpath._check_arg_types", "genericpath._splitext", "genericpath.commonprefix",
    "interleave", "ipaddress", "ntpath", "os.PathLike", "os.fspath", "pathlib.PurePath",
    "pathlib.PurePosixPath", "pathlib.PureWindowsPath", "posix.fspath", "nt.fspath", "posixpath",
    "uuid.UUID",
    # What pytest makes of an assertion that fails.
    "_pytest", "pluggy",
    # Parts of modules that are modelled, or refused as a whole.
    "heapq.merge", "heapq.nlargest", "heapq.nsmallest",
    "_socket.getdefaulttimeout",
    "_weakref._remove_dead_weakref", "weakref.KeyedRef", "weakref.ReferenceType",
    "weakref.WeakKeyDictionary", "weakref.WeakMethod", "weakref.WeakValueDictionary",
    "weakref.finalize",
    "signal.Handlers", "signal.Signals", "sys.exc_info", "sys.exception", "sys.exit",
    "sys.intern", "time.struct_time",
}  # fmt: skip
"""What gives the same result for the same arguments, every time, and keeps nothing."""

FOLLOWED = {
    "functools.cached_property", "functools.partialmethod", "http",
    *(f"logging.{name}" for name in (
        "Filter", "Filterer", "Formatter", "Handler", "LoggerAdapter", "PercentStyle",
        "StrFormatStyle", "StreamHandler", "StringTemplateStyle", "_checkLevel", "getLevelName",
    )),
    *(f"logging.handlers.{name}" for name in (
        "BufferingHandler", "MemoryHandler", "QueueHandler", "QueueListener",
    )),
}  # fmt: skip
"""Parts of modules named here that are followed like the model's own code."""

OPAQUE = {
    "PIL", "cryptography", "google", "grpc", "jax", "jaxlib", "llvmlite", "lxml", "matplotlib",
    "msgpack", "numba", "numpy", "orjson", "pandas", "polars", "pyarrow", "pydantic",
    "pydantic_core", "scipy", "sklearn", "tensorflow", "torch", "ujson", "yaml",
}  # fmt: skip
"""Installed packages that are C code at heart: they run as they are, on plain values."""

_CLOCK = "a model has one clock: time.time(), time.monotonic() and time.perf_counter() read it"
_DATE = "read the clock in a thread: in setup, it shows datetime.datetime(2100, 1, 1)"
CHANCE = "use choose([...]): every possibility is then explored"
"""What to do instead of what leaves it to chance."""

_WORLD = "a model has no outside world: keep what it needs in shared variables"
_SETTING = "every thread sees such a setting: keep it in a shared variable, and pass it on"
_WRITE_OUT = "write the code out"
_NAME_THEM = "name the variables"
_THREADS = "it differs between threads: keep what each thread needs in its local variables"
_FRAMES = "it depends on how the code is run: pass on what it needs"
UNKNOWN = "do it outside the model, or write down what it does in the model"
"""What to do instead of what has no remedy of its own."""

UNKNOWN_PYTHON = (
    "call it by its name, from the model's own code; if it gives the same result for the same "
    "arguments, and keeps nothing, name it in pyproject.toml: [tool.interleave] pure = [...]"
)
"""What to do instead of running a function that was not followed."""

GENERATOR = "have a thread make it, or collect the values in a list"
"""What to do instead of giving code of the library a generator to run."""

UNKNOWN_C = (
    "if it gives the same result for the same arguments, and keeps nothing, name it in "
    "pyproject.toml: [tool.interleave] pure = [...]; else write down what it does in the model"
)
"""What to do instead of C code that nothing here names."""

CLOCKS = frozenset(
    f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter") for unit in ("", "_ns")
)
"""What reads the clock of a model."""

DATES = frozenset(
    f"{module}.{name}"
    for module in ("datetime", "_datetime", "_pydatetime")
    for name in ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
)
"""What reads it too, by class methods."""

REFUSED = {
    # The clock.
    "time": _CLOCK,
    "timeit": _CLOCK,
    "sched": _CLOCK,
    **dict.fromkeys(DATES, _DATE),
    # Chance.
    **dict.fromkeys(
        ("random", "_random", "secrets", "statistics.NormalDist.samples", "os.urandom",
         "numpy.random", "posix.urandom", "posix.getrandom"),
        CHANCE,
    ),
    **dict.fromkeys(("uuid", "_uuid"), "count in a shared variable, or use choose([...])"),
    # Hashes: other ones in each run.
    "builtins.hash": "it differs between runs: use the value itself",
    # Code and variables by name.
    "builtins.exec": _WRITE_OUT,
    "builtins.eval": _WRITE_OUT,
    "builtins.locals": _NAME_THEM,
    "builtins.dir": _NAME_THEM,
    "builtins.__import__": "import at the top of the file",
    "importlib": "import at the top of the file",
    "runpy": _WRITE_OUT,
    "code": _WRITE_OUT,
    # How the interpreter runs the code.
    "builtins.type.__subclasses__": "name the classes",
    **dict.fromkeys(
        ("abc.ABCMeta.register", "_abc._abc_register"),
        "register classes at the top of the file",
    ),
    **dict.fromkeys(
        ("builtins.frame", "gc", "inspect.currentframe", "inspect.getframeinfo", "inspect.stack",
         "inspect.trace", "sys._getframe", "sys.setprofile", "sys.settrace",
         "traceback.extract_stack", "traceback.format_exc", "traceback.format_stack",
         "traceback.print_stack", "traceback.walk_stack", "tracemalloc", "_tracemalloc", "trace",
         "faulthandler"),
        _FRAMES,
    ),
    **dict.fromkeys(
        ("breakpoint", "bdb", "pdb"), "look at the trace of a violation, or use `interleave steps`"
    ),
    "builtins.breakpoint": "look at the trace of a violation, or use `interleave steps`",
    # Settings that all code sees.
    **dict.fromkeys(
        ("calendar.setfirstweekday", "codecs.register", "_codecs.register",
         "_codecs.register_error", "copyreg.add_extension", "copyreg.constructor",
         "copyreg.pickle", "copyreg.remove_extension", "csv.field_size_limit",
         "csv.register_dialect", "csv.unregister_dialect", "_csv.field_size_limit",
         "_csv.register_dialect", "_csv.unregister_dialect", "re.purge", "struct._clearcache",
         "warnings.catch_warnings", "warnings.filterwarnings", "warnings.resetwarnings",
         "warnings.simplefilter", "locale", "_locale", "gettext"),
        _SETTING,
    ),
    # What each thread has of its own.
    **dict.fromkeys(
        [
            f"{module}.{name}"
            for module in ("decimal", "_decimal", "_pydecimal")
            for name in ("getcontext", "setcontext", "localcontext")
        ],
        _THREADS,
    ),
    # What belongs in a class body.
    "interleave.model.param": "write N = param(...) in the class body, and self.N here",
    **dict.fromkeys(
        (f"interleave.model.{name}" for name in ("expect", "goroutine", "invariant",
         "postcondition", "process", "task", "thread")),
        "it marks what a class body defines, before anything runs",
    ),
    # The world outside.
    "builtins.open": "keep what it needs in shared variables",
    "builtins.input": "use choose([...]): every answer is then explored",
    **dict.fromkeys(
        [
            *[
                f"{module}.{name}"
                for module in ("posixpath", "ntpath")
                for name in ("abspath", "expanduser", "expandvars", "ismount", "lexists",
                             "realpath", "samefile")
            ],
            "genericpath", "os", "posix", "nt", "pathlib", "_stat", "stat", "_io.open",
            "atexit", "curses", "_curses", "dbm", "fcntl", "fileinput", "ftplib", "getpass",
            "glob", "grp", "gzip", "imaplib", "linecache", "mailbox", "mimetypes", "mmap",
            "nntplib", "platform", "poplib", "pty", "pwd", "readline", "resource", "select",
            "shelve", "shutil", "site", "smtplib", "socket", "_socket",
            "socketserver", "sqlite3", "_sqlite3", "ssl", "_ssl", "subprocess",
            "_posixsubprocess", "sysconfig", "syslog", "tarfile", "tempfile", "termios",
            "tkinter", "urllib", "webbrowser", "wsgiref", "xmlrpc", "zipfile", "zoneinfo",
        ],
        _WORLD,
    ),
    **dict.fromkeys(
        ("signal", "_signal"),
        "the main thread can call signal.signal, getsignal, raise_signal, alarm, setitimer and "
        "pause: that is the body of a script, or the thread `main` of a model",
    ),
    **dict.fromkeys(("io", "_io", "weakref", "_weakref"), UNKNOWN),
}  # fmt: skip
"""What no model may use, and what to do instead.

A function that has a counterpart in `interleave.stdlib` is modelled, whatever stands here of its
module.
"""

OF_RUNNING_THREADS = frozenset(
    ("_thread.get_ident", "_thread.get_native_id", "threading.current_thread",
     "threading.currentThread", "threading.main_thread", "threading.enumerate",
     "threading.active_count", "asyncio.tasks.current_task", "_asyncio.current_task",
     "multiprocessing.process.current_process")
)  # fmt: skip
"""Parts of modelled modules that ask who runs, before the threads do."""

IN_THREAD = "ask in a thread, or give each thread a number of its own"
"""What to do instead."""

WITHOUT_COUNTERPART = {
    "multiprocessing": "start a multiprocessing.Process, or mark a method with @process; share "
    "what Value, Array, Lock, ... make",
    "asyncio": "mark the `async def` methods that are to run with @task, or have a thread make a "
    "loop and run it (asyncio.run, asyncio.new_event_loop); there are no streams and no processes",
}
"""What to do instead of that of a modelled module which has no counterpart."""
