"""The programs that the demo starts: the gateway's host and the worker, as a user would start them."""

import asyncio
import json
import os
import re
import secrets
import signal
import urllib.error
import urllib.request


class Failed(Exception):
    """Something did not start or end as it should; the text is for people."""


class Processes:
    def __init__(self, build_dir, out_dir):
        self.build_dir = build_dir
        self.out_dir = out_dir
        self.secret_file = os.path.join(out_dir, "secret")
        self.host_log = os.path.join(out_dir, "fluentgate-host.log")
        self.worker_log = os.path.join(out_dir, "fluentgate-worker.log")
        self.url = None
        self.host = None
        self.worker = None

    def program(self, name):
        path = os.path.join(self.build_dir, name)
        if not os.path.exists(path):
            raise Failed(f"{path} is not there: ./dev build makes it")
        return path

    async def start_host(self):
        with open(os.open(self.secret_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        self.host = await asyncio.create_subprocess_exec(
            self.program("fluentgate-host"), "--plugin-dir", self.build_dir,
            "--set", "listen.port=0", "--set", f"auth.secret_file={self.secret_file}", "--set", "auth.algorithms=HS256",
            stdout=asyncio.subprocess.PIPE, stderr=open(self.host_log, "w"))
        try:
            line = (await asyncio.wait_for(self.host.stdout.readline(), 20)).decode()
        except asyncio.TimeoutError:
            raise Failed(f"fluentgate-host did not say that it is ready; see {self.host_log}") from None
        ready = re.match(r"fluentgate-host ready on (\S+)", line)
        if not ready:
            raise Failed(f"fluentgate-host did not start; see {self.host_log}:\n" + tail(self.host_log))
        self.url = ready.group(1)

    async def start_worker(self):
        self.worker = await asyncio.create_subprocess_exec(
            self.program("fluentgate-worker"), "--gateway", self.url, "--verbose",
            stdout=asyncio.subprocess.DEVNULL, stderr=open(self.worker_log, "w"))

    def get(self, path):
        """The status and body of a page of the gateway."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    async def wait_ready(self, seconds):
        for _ in range(int(seconds * 10)):
            self.check_alive()
            status, body = await asyncio.to_thread(self.get, "/readyz")
            if status == 200:
                return json.loads(body)
            await asyncio.sleep(0.1)
        raise Failed(f"the gateway was not ready after {seconds} s: {body}")

    async def wait_worker(self, seconds):
        for _ in range(int(seconds * 10)):
            self.check_alive()
            if "ready" in open(self.worker_log, errors="replace").read():
                return
            await asyncio.sleep(0.1)
        raise Failed(f"the worker was not ready after {seconds} s; see {self.worker_log}:\n" + tail(self.worker_log))

    def check_alive(self):
        for name, process, log in (("fluentgate-host", self.host, self.host_log), ("fluentgate-worker", self.worker, self.worker_log)):
            if process is not None and process.returncode is not None:
                raise Failed(f"{name} ended with {process.returncode}; see {log}:\n" + tail(log))

    async def token(self, user, room, name, speak=None, listen=None):
        command = [self.program("fluentgate-token"), "--secret-file", self.secret_file, "--user", user, "--room", room, "--name", name, "--ttl", "86400"]
        if speak:
            command += ["--speak", speak]
        if listen:
            command += ["--listen", listen]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        if process.returncode != 0:
            raise Failed("fluentgate-token failed")
        return out.decode().strip()

    async def stop(self):
        for process in (self.worker, self.host):
            if process is None or process.returncode is not None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 15)
            except asyncio.TimeoutError:
                process.kill()
                await process.wait()


def tail(path, lines=12):
    with open(path, errors="replace") as file:
        return "".join(file.readlines()[-lines:])
