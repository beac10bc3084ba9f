#!/usr/bin/python3
"""./dev demo: real human speech through the gateway, the reference worker and back to three listeners in three languages.

Exit codes: 0 every listener heard the speaker in their own language; 1 somebody heard nothing, or something did not start; 130 interrupted
before that was known.
"""

import argparse
import asyncio
import glob
import os
import signal
import sys
import time
from statistics import median

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from latency_log import LatencyLog  # noqa: E402
from live_view import LiveView  # noqa: E402
from participants import Listener, Speaker  # noqa: E402
from processes import Failed, Processes  # noqa: E402

RECORDINGS = "/usr/share/pocketsphinx/test/data/librivox/*.wav"  # LibriVox, public domain; Debian's pocketsphinx-testdata
ROOM = "demo"
LISTENERS = (("es", "lucia", "Lucía"), ("ca", "jordi", "Jordi"), ("fr", "amelie", "Amélie"))
PAUSE_MS = 1200
SETTLE_S = 8.0


def arguments():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", default="build", help="where the programs are (default: build)")
    parser.add_argument("--out-dir", default="demo-out", help="where logs and WAV files go (default: demo-out)")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end and print how to connect your own client")
    parser.add_argument("--fast", action="store_true", help="the first two recordings only")
    return parser.parse_args()


async def watch(processes, view, latency):
    while True:
        processes.check_alive()
        latency.read()
        view.draw()
        await asyncio.sleep(0.25)


async def settle(listeners):
    """Until nobody has heard anything new for two seconds, at most SETTLE_S."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        before = [len(listener.frames) for listener in listeners]
        await asyncio.sleep(2)
        if before == [len(listener.frames) for listener in listeners]:
            return


async def run(processes, options, participants):
    recordings = sorted(glob.glob(RECORDINGS))[: 2 if options.fast else None]
    if not recordings:
        raise Failed("no recordings: install pocketsphinx-testdata")
    await processes.start_host()
    await processes.start_worker()
    print(f"gateway at {processes.url} (embedded Kafka); the worker is loading its models …", flush=True)
    await processes.wait_ready(20)
    await processes.wait_worker(60)

    speaker = Speaker("austen", "Jane", await processes.token("austen", ROOM, "Jane", "en", "en"), processes.url, ROOM)
    listeners = []
    for language, user, name in LISTENERS:
        token = await processes.token(user, ROOM, name, language, language)
        listeners.append(Listener(language, user, name, token, processes.url, ROOM))
    participants += [speaker, *listeners]
    for participant in participants:
        await participant.join()

    latency = LatencyLog(processes.host_log)
    view = LiveView(speaker, listeners, latency)
    watching = asyncio.create_task(watch(processes, view, latency))
    start = time.monotonic()
    speaking = asyncio.create_task(speaker.speak(recordings, PAUSE_MS))
    done, _ = await asyncio.wait({watching, speaking}, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    await settle(listeners)
    watching.cancel()
    latency.read()
    view.draw()
    for listener in listeners:
        listener.write_wav(os.path.join(options.out_dir, f"{listener.user}-{listener.language}.wav"), start)
    return listeners, latency


def report(listeners, latency, out_dir):
    print("\n  listener   language  phrases  heard   captions  suppressed  skipped   phrase end → first sound (median, min–max)")
    for listener in listeners:
        first = listener.first_ms
        times = f"{median(first):.0f} ms ({min(first)}–{max(first)})" if first else "–"
        print(f"  {listener.name:<10} {listener.language:<9} {len(listener.utterances):>6}  {listener.heard_s:5.1f} s  {len(listener.captions):>7}"
              f"  {'yes' if listener.suppress_events else 'no':>9}  {listener.skipped_ms:>5} ms   {times}")
    everybody = [ms for listener in listeners for ms in listener.first_ms]
    if everybody:
        print(f"\n  all listeners: median {median(everybody):.0f} ms from the end of a spoken phrase to its first translated sound")
    print("  where it goes, median ms: " + latency.line())
    print(f"\n  what each of them heard: {out_dir}/*.wav   logs: {out_dir}/*.log")


async def keep(processes, options):
    token = await processes.token("guest", ROOM, "Guest", "en", "es")
    base = processes.url.replace("http", "ws", 1)
    print("\n  still running; Ctrl-C ends it. Your own client, as user \"guest\", who speaks English and hears Spanish:")
    print(f"    token      {token}")
    for endpoint in ("audio", "captions", "signaling"):
        print(f"    {endpoint:<10} {base}/ws/{endpoint}/{ROOM}?token=TOKEN")
    print(f"    pages      {processes.url}/healthz  {processes.url}/readyz  {processes.url}/metrics", flush=True)
    while True:
        processes.check_alive()
        await asyncio.sleep(0.5)


async def main():
    options = arguments()
    # Ended by whichever signal, what was started ends too.
    this = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    os.makedirs(options.out_dir, exist_ok=True)
    processes = Processes(os.path.abspath(options.build_dir), os.path.abspath(options.out_dir))
    listeners, participants = None, []
    try:
        listeners, latency = await run(processes, options, participants)
        report(listeners, latency, options.out_dir)
        failures = [f"{listener.name} heard nothing" for listener in listeners if not listener.frames]
        failures += [f"{listener.name} got no captions" for listener in listeners if not listener.captions]
        failures += [f"{listener.name} had audio before the original was suppressed"
                     for listener in listeners if listener.frames and not listener.suppressed_before_audio]
        for failure in failures:
            print("  FAILED: " + failure)
        if options.keep and not failures:
            await keep(processes, options)
        return 1 if failures else 0
    except Failed as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        print("\n  ended")
        return 130 if listeners is None else 0
    finally:
        for participant in participants:
            await participant.close()
        await processes.stop()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
