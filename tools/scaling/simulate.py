#!/usr/bin/env python3
"""Simulates an hour of fluentgate, minute by minute, from a thousand participants to a million: how many instances, what Kafka and Redis carry,
what an instance's and a broker's loss does, and what breaks first. Fed with measured figures (figures.toml) and a load (load.toml)."""
import argparse
import json
import math
import sys
import tomllib
from dataclasses import asdict, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from model import SAMPLED_RECORDS_PER_S, Model, Setup, State  # noqa: E402
from placement import make_rooms  # noqa: E402

HERE = Path(__file__).parent
NEVER = 2000      # instances, from which adding more is taken for no answer
BROKERS_MAX = 200 # of one cluster, the same

SETUPS = {
    "spread": Setup("spread", "spread", False),
    "room": Setup("room", "room", False),
    "room+aware": Setup("room+aware", "room", True),
    "partition+aware": Setup("partition+aware", "partition", True, partitions=4096),
    "cells": Setup("cells", "room", False, cell=8, partitions=64),
}
ABOUT = {
    "spread": "any balancer, all partitions read (the default)",
    "room": "the balancer keeps a room on one instance (hash of the path), all partitions read",
    "room+aware": "the same with kafka.partition_aware",
    "partition+aware": "the balancer deals rooms out by Kafka's partition, with kafka.partition_aware",
    "cells": "groups of 8 instances, each with topics and a Redis of its own; rooms kept together",
}


def participants_at(minute: int, load: dict) -> int:
    first, last, minutes = load["participants_first"], load["participants_last"], load["minutes"]
    return round(first * (last / first) ** (minute / (minutes - 1)))


def usage(model: Model, state: State, setup: Setup) -> dict:
    """Each resource as a share of what it may be used for; beyond 1 it is too much."""
    load = model.load
    return {
        "loop thread": state.hottest(model.loop_cores) / load["loop_cores_max"],
        "Kafka threads": state.hottest(model.kafka_cores) / load["kafka_cores_max"],
        "instance's network": state.hottest(model.network_bytes) / load["instance_network_bytes_max"],
        "instance's memory": state.hottest(model.memory_bytes) / load["instance_memory_bytes_max"],
        "sockets": state.hottest(lambda i: i.participants) * load["sockets_per_participant"] / load["sockets_max"],
        "rooms": state.hottest(lambda i: i.rooms) / load["rooms_max"],
        "brokers": max(state.broker_bytes) / load["broker_bytes_max"],
        "partition": state.partition_bytes_max / load["partition_bytes_max"],
        "Redis": state.redis_cores / load["redis_cores_max"],
    }


PER_INSTANCE = ("loop thread", "Kafka threads", "instance's network", "instance's memory", "sockets", "rooms")
MOVES = {
    "loop thread": "more instances (listen.processes on the same machine)",
    "Kafka threads": "read less: rooms kept together and kafka.partition_aware, or cells (kafka.topic.*)",
    "instance's network": "read less: kafka.partition_aware or cells, fewer partitions; else more instances",
    "instance's memory": "more instances, or a smaller kafka.buffer_bytes",
    "sockets": "limits.sessions, else more instances",
    "rooms": "limits.rooms, else rooms kept together",
    "brokers": "more brokers; fewer readers (partition_aware, cells); kafka.format.audio_raw = binary; fetch.min.bytes",
    "partition": "more partitions",
    "Redis": "a Redis per cell (redis.url), or Redis Cluster; rooms kept together",
}


def fit(model: Model, participants: int, rooms, setup: Setup, at_least: int) -> tuple[State, dict]:
    """The fewest instances and brokers that carry it, or the state at which more no longer help. Never fewer than a minute ago, and at least two."""
    count, best = max(2, at_least), None
    while True:
        state = model.state(participants, rooms, setup, count)
        shares = usage(model, state, setup)
        while setup.brokers_grow and shares["brokers"] > 1.0 and setup.brokers < BROKERS_MAX:
            setup.brokers = min(BROKERS_MAX, max(setup.brokers + 1, math.ceil(setup.brokers * min(shares["brokers"], 2.0))))
            state.broker_bytes = model.broker_bytes(setup)
            shares = usage(model, state, setup)
        worst = max(shares[name] for name in PER_INSTANCE)
        if worst <= 1.0 or count >= NEVER:
            return state, shares
        # Twice the instances and no relief: what is too much does not depend on them.
        if best is not None and count >= best[0] * 2:
            if worst > best[1] * 0.9:
                return state, shares
            best = (count, worst)
        if best is None:
            best = (count, worst)
        count = min(NEVER, max(count + 1, math.ceil(count * min(worst, 2.0) * 1.02)))


def row_of(model: Model, minute: int, state: State, shares: dict) -> dict:
    first = max(shares, key=shares.get)
    return {
        "minute": minute, "participants": state.participants, "rooms": state.rooms, "instances": len(state.instances),
        "instances_per_room": round(state.span_mean, 2),
        "participants_per_instance": round(state.participants / len(state.instances)),
        "loop_cores": round(state.hottest(model.loop_cores), 3), "kafka_cores": round(state.hottest(model.kafka_cores), 3),
        "from_kafka_bytes_per_instance": round(state.hottest(lambda i: i.consumed_bytes)),
        "hosted_bytes_per_instance": round(state.hottest(lambda i: i.hosted_bytes)),
        "network_bytes_per_instance": round(state.hottest(model.network_bytes)),
        "memory_bytes_per_instance": round(state.hottest(model.memory_bytes)),
        "kafka_in_bytes": round(state.kafka_in_bytes), "kafka_in_records": round(state.kafka_in_records), "kafka_out_bytes": round(state.kafka_out_bytes),
        "broker_bytes": round(max(state.broker_bytes)), "brokers": len(state.broker_bytes),
        "redis_commands": round(state.redis_commands), "redis_messages": round(state.redis_messages), "redis_cores": round(state.redis_cores, 4),
        "fullest": first, "fullest_share": round(shares[first], 2), "shares": {k: round(v, 3) for k, v in shares.items()},
    }


def instance_lost(model: Model, state: State) -> dict:
    """The fullest instance is killed: its participants reconnect to the others, spread over clients' backoff."""
    load, lost = model.load, max(state.instances, key=lambda i: i.participants)
    others = max(1, len(state.instances) - 1)
    sockets = lost.participants * load["sockets_per_participant"]
    opened_per_s = sockets / load["reconnect_spread_s"] / others
    burst = opened_per_s * model.opening_us() / 1e6
    base = max(model.loop_cores(i) for i in state.instances)
    return {
        "participants_reconnecting": round(lost.participants), "sockets_per_s_and_survivor": round(opened_per_s, 1),
        "burst_loop_cores": round(burst, 3), "loop_cores_while_reconnecting": round(base + burst, 3),
        "loop_cores_afterwards": round(base * (others + 1) / others, 3), "redis_seats_per_s": round(lost.participants * load["seat_changes_per_join"] / load["reconnect_spread_s"]),
        "back_after_s": load["reconnect_spread_s"], "gone_elsewhere_after_s": model.fig("failover_instance_gone_s"),
    }


def broker_lost(model: Model, state: State, setup: Setup) -> dict:
    """One broker of several (replication as configured) is killed: what waits at each instance while its partitions have no leader."""
    pause = model.fig("failover_broker_pause_s")
    pcm = max(i.chunks for i in state.instances) * model.load["chunk_ms"] * 32
    waiting = pcm * pause / setup.brokers
    left = [b * setup.brokers / max(1, setup.brokers - 1) for b in state.broker_bytes]
    return {
        "pause_s": pause, "waiting_bytes_per_instance": round(waiting), "buffer_share": round(waiting / model.load["kafka_buffer_bytes"], 4),
        "buffer_lasts_s": round(model.load["kafka_buffer_bytes"] / pcm, 1), "broker_share_afterwards": round(max(left) / model.load["broker_bytes_max"], 2),
    }


def simulate(model: Model, setup: Setup, minutes=None) -> dict:
    load = model.load
    rooms = make_rooms(load["participants_last"], load["room_sizes"], load["seed"])
    reach, total = [], 0
    for room in rooms:
        total += room.size
        reach.append(total)
    setup = replace(setup)  # its brokers may grow
    rows, breaks, count, used = [], {}, 0, 0
    for minute in minutes if minutes is not None else range(load["minutes"]):
        participants = participants_at(minute, load)
        while used < len(rooms) and reach[used] <= participants:
            used += 1
        here = rooms[:max(1, used)]
        state, shares = fit(model, participants, here, setup, min(count, NEVER))
        for name, share in shares.items():
            if share > 1.0 and name not in breaks:
                breaks[name] = {"participants": participants, "minute": minute, "moved_by": MOVES[name]}
        row = row_of(model, minute, state, shares)
        row["instance_lost"] = instance_lost(model, state)
        row["broker_lost"] = broker_lost(model, state, setup)
        rows.append(row)
        per_instance_broken = any(shares[name] > 1.0 for name in PER_INSTANCE)
        if per_instance_broken:
            break  # no number of instances carries more
        count = len(state.instances)
    return {"setup": asdict(setup), "about": ABOUT.get(setup.name, ""), "rows": rows, "breaks": breaks}


def assumptions(model: Model) -> list[str]:
    load = model.load
    out = [f"{name} = {f['value']} {f['unit']}: {f['source']}" for name, f in model.figures.items()]
    out += [f"load.{name} = {value}" for name, value in load.items()]
    return out + [f"the look at other partitions reads {SAMPLED_RECORDS_PER_S:.0f} records/s; each key has one partition (kafka.key_partitioners names one)",
                  "rooms fall on partitions by murmur2 of \"room-N\", on instances by crc32; growth is even in its ratio from minute to minute",
                  "a room's participants join and leave independently; an instance added takes its share at once; nobody is moved",
                  "each worker topic is read once by workers; brokers' CPU and disks are not modelled, only bytes in and out"]


def mb(value: float) -> str:
    return f"{value / 1e6:.1f}"


def print_table(result: dict, marks: list[int]) -> None:
    print(f"\n### {result['setup']['name']}: {result['about']}\n")
    print("| participants | rooms | instances | from Kafka, MB/s each | of which its rooms' | loop, Kafka cores | Kafka in, out MB/s | brokers | Redis commands/s, cores | fullest |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    rows = result["rows"]
    shown = {min(range(len(rows)), key=lambda i: abs(math.log(rows[i]["participants"] / m))) for m in marks if m <= rows[-1]["participants"] * 1.1}
    for i in sorted(shown | {len(rows) - 1}):
        r = rows[i]
        print(f"| {r['participants']:,} | {r['rooms']:,} | {r['instances']} | {mb(r['from_kafka_bytes_per_instance'])} | {mb(r['hosted_bytes_per_instance'])} | "
              f"{r['loop_cores']:.2f}, {r['kafka_cores']:.2f} | {mb(r['kafka_in_bytes'])}, {mb(r['kafka_out_bytes'])} | {r['brokers']} | "
              f"{r['redis_commands']:,}, {r['redis_cores']:.2f} | {r['fullest']} {r['fullest_share']:.0%} |")
    for name, found in sorted(result["breaks"].items(), key=lambda item: item[1]["participants"]):
        print(f"\n- **{name}** is too small from {found['participants']:,} participants: {found['moved_by']}.", end="")
    last = rows[-1]
    lost, broker = last["instance_lost"], last["broker_lost"]
    print(f"\n- An instance is lost at {last['participants']:,}: {lost['participants_reconnecting']:,} participants come back within {lost['back_after_s']:g} s, "
          f"{lost['sockets_per_s_and_survivor']} sockets/s at each survivor, loop {lost['loop_cores_while_reconnecting']:.2f} cores meanwhile, {lost['loop_cores_afterwards']:.2f} afterwards; "
          f"gone elsewhere after {lost['gone_elsewhere_after_s']:g} s.")
    print(f"- A broker is lost: {broker['pause_s']:g} s of pause, {broker['waiting_bytes_per_instance'] / 1e6:.1f} MB wait at an instance ({broker['buffer_share']:.1%} of kafka.buffer_bytes, "
          f"which lasts {broker['buffer_lasts_s']:g} s with no broker at all); the others then carry {broker['broker_share_afterwards']:.0%} of what they may.")


def load_model(figures: Path, load: Path, changes: list[str]) -> Model:
    with open(figures, "rb") as file:
        known = tomllib.load(file)
    with open(load, "rb") as file:
        wanted = tomllib.load(file)
    for change in changes:
        name, _, value = change.partition("=")
        if name not in wanted:
            raise SystemExit(f"simulate: --set {name}: load.toml has no such name")
        wanted[name] = tomllib.loads(f"v = {value}")["v"]
    return Model(known, wanted)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, default=HERE / "figures.toml")
    parser.add_argument("--load", type=Path, default=HERE / "load.toml")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a value of the load, e.g. chunk_ms=20")
    parser.add_argument("--setup", action="append", choices=list(SETUPS), help="one of these only (default: all)")
    parser.add_argument("--brokers", type=int, default=0, help="so many, never more (default: as many as are needed)")
    parser.add_argument("--partitions", type=int, default=0)
    parser.add_argument("--cell", type=int, default=0, help="instances of a cell, for --setup cells")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    model = load_model(arguments.figures, arguments.load, arguments.set)
    results = []
    for name in arguments.setup or SETUPS:
        setup = SETUPS[name]
        if arguments.brokers:
            setup.brokers, setup.brokers_grow = arguments.brokers, False
        setup.partitions = arguments.partitions or setup.partitions
        if name == "cells":
            setup.cell = arguments.cell or setup.cell
        results.append(simulate(model, setup))
    if arguments.json:
        json.dump({"results": results, "assumptions": assumptions(model)}, sys.stdout, indent=1)
        return 0
    for result in results:
        print_table(result, [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000])
    print("\nAssumptions:\n")
    for line in assumptions(model):
        print("-", line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
