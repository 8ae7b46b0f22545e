"""Takes commands from the test harness over a virtio-serial port and runs them, any number at once.

A frame is: length of the payload (4 bytes, big endian), kind (1 byte), id of the command (4 bytes), payload.
  to us:    R run (0 or 1: whether stdin data will follow; the command)   I stdin data   E stdin ends
            K signal to the command's process group (decimal)             H halt
  from us:  h we are here   o stdout   e stderr   x ended (code and milliseconds, decimal)
A command is a line of bash. It has ended when its shell has; what it left running keeps its output pipes, which are
emptied and thrown away. Few imports: each costs a part of a host's boot.
"""
import os
import selectors
import signal
import struct
import time

HEADER = struct.Struct('>IcI')
PORT_NAME = 'sltv.testbed'
PORTS = '/sys/class/virtio-ports'
FULL = 1 << 20
# Words without a meaning to a shell: bash, which takes a twentieth of a second to start in here, isn't needed for them.
PLAIN = frozenset('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./- ')

selector = selectors.DefaultSelector()
commands = {}


def open_port():
    while True:
        for port in os.listdir(PORTS) if os.path.isdir(PORTS) else ():
            with open(f'{PORTS}/{port}/name', encoding='ascii') as name:
                if name.read().strip() == PORT_NAME:
                    return os.open(f'/dev/{port}', os.O_RDWR | os.O_NONBLOCK)
        time.sleep(0.02)


class Port:
    """The channel: frames in, frames out. While the harness is slow to read, no command's output is read either."""

    def __init__(self):
        self.fd = open_port()
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.halted = False
        selector.register(self.fd, selectors.EVENT_READ, self)

    def send(self, kind, number, payload=b''):
        self.outbox += HEADER.pack(len(payload), kind, number) + payload
        self.flush()

    def flush(self):
        while self.outbox:
            try:
                del self.outbox[: os.write(self.fd, self.outbox[:32768])]
            except BlockingIOError:
                break
        selector.modify(self.fd, selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outbox else 0), self)

    def is_full(self):
        return len(self.outbox) > FULL

    def wait_until_read(self):
        with selectors.DefaultSelector() as only_us:
            only_us.register(self.fd, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while self.is_full() and not self.halted:
                for _, mask in only_us.select():
                    self.ready(self.fd, mask)

    def ready(self, _fd, mask):
        if mask & selectors.EVENT_WRITE:
            self.flush()
        if mask & selectors.EVENT_READ:
            try:
                data = os.read(self.fd, 65536)
            except BlockingIOError:
                return
            if not data:
                self.halted = True  # nobody at the other end any more
            self.inbox += data
            self.take_frames()

    def take_frames(self):
        while len(self.inbox) >= HEADER.size:
            length, kind, number = HEADER.unpack_from(self.inbox)
            end = HEADER.size + length
            if len(self.inbox) < end:
                return
            payload = bytes(self.inbox[HEADER.size : end])
            del self.inbox[:end]
            self.take(kind, number, payload)

    def take(self, kind, number, payload):
        if kind == b'R':
            commands[number] = Command(self, number, payload[1:], payload[:1] == b'1')
        elif kind == b'H':
            self.halted = True
        elif number in commands:
            command = commands[number]
            if kind == b'I':
                command.feed(payload)
            elif kind == b'E':
                command.end_input()
            elif kind == b'K':
                command.kill(int(payload))


class Command:
    """One shell command and its pipes."""

    def __init__(self, port, number, line, has_input):
        self.port = port
        self.number = number
        self.input = bytearray()
        self.input_ended = False
        stdin, self.stdin = os.pipe() if has_input else (os.open('/dev/null', os.O_RDONLY), None)
        stdout, theirs_out = os.pipe()
        stderr, theirs_err = os.pipe()
        self.outputs = {stdout: b'o', stderr: b'e'}
        self.begun = time.monotonic()
        self.pid = spawn(line, (stdin, theirs_out, theirs_err))
        for fd in (stdin, theirs_out, theirs_err):
            os.close(fd)
        self.exit_fd = os.pidfd_open(self.pid)
        for fd in (stdout, stderr, self.exit_fd):
            os.set_blocking(fd, False)
            selector.register(fd, selectors.EVENT_READ, self)
        if has_input:
            os.set_blocking(self.stdin, False)

    def ready(self, fd, _mask):
        if fd == self.exit_fd:
            self.ended()
        elif fd == self.stdin:
            self.write_input()
        else:
            self.read_output(fd)

    def read_output(self, fd):
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return False
        if not data:
            selector.unregister(fd)
            os.close(fd)
            del self.outputs[fd]
            return False
        if self.number in commands:
            self.port.send(self.outputs[fd], self.number, data)
        return True

    def feed(self, data):
        self.input += data
        self.write_input()

    def end_input(self):
        self.input_ended = True
        self.write_input()

    def write_input(self):
        if self.stdin is None:
            return
        try:
            while self.input:
                del self.input[: os.write(self.stdin, self.input[:65536])]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self.input.clear()
            self.input_ended = True
        waiting = self.stdin in selector.get_map()
        if self.input and not waiting:
            selector.register(self.stdin, selectors.EVENT_WRITE, self)
        if not self.input and waiting:
            selector.unregister(self.stdin)
        if not self.input and self.input_ended:
            self.close_input()

    def close_input(self):
        if self.stdin in selector.get_map():
            selector.unregister(self.stdin)
        os.close(self.stdin)
        self.stdin = None

    def kill(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def ended(self):
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        milliseconds = (time.monotonic() - self.begun) * 1000
        selector.unregister(self.exit_fd)
        os.close(self.exit_fd)
        if self.stdin is not None:
            self.close_input()
        for fd in list(self.outputs):
            while self.read_output(fd):
                pass
        self.port.send(b'x', self.number, b'%d %f' % (code if code >= 0 else 128 - code, milliseconds))
        del commands[self.number]


def spawn(line, descriptors):
    """Starts it in a session of its own, so that all of it can be killed."""
    program, words = program_of(line.decode())
    dup = [(os.POSIX_SPAWN_DUP2, fd, n) for n, fd in enumerate(descriptors)]
    return os.posix_spawn(program, words, os.environ, file_actions=dup, setsid=True, setsigdef=[signal.SIGPIPE])


def program_of(line):
    words = line.split()
    if words and PLAIN.issuperset(line) and '=' not in words[0]:
        for directory in os.environ['PATH'].split(':') if '/' not in words[0] else ('/',):
            path = os.path.join(directory, words[0])
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path, words
    return '/bin/bash', ['bash', '-c', line]


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    port = Port()
    port.send(b'h', 0)
    while not port.halted:
        for key, mask in selector.select():
            if port.is_full():
                port.wait_until_read()
            registered = selector.get_map().get(key.fd)
            if registered and registered.data is key.data:
                key.data.ready(key.fd, mask)


main()
