"""Where things are: rooms by a size distribution, their partition by Kafka's own hash, their instance by the balancer's rule."""
import random
import zlib
from dataclasses import dataclass


def murmur2(key: bytes) -> int:
    """Kafka's partitioner hash (org.apache.kafka.common.utils.Utils.murmur2), as an unsigned 32-bit number."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ len(key)) & mask
    whole = len(key) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(key[i:i + 4], "little") * m & mask
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    rest = key[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def partition_of(room_hash: int, partitions: int) -> int:
    return (room_hash & 0x7FFFFFFF) % partitions


@dataclass(frozen=True)
class Room:
    size: int
    key_hash: int      # murmur2 of its id
    route_hash: int    # what a balancer would hash: another function, so that nothing falls together by luck


def make_rooms(participants: int, room_sizes, seed: int) -> list[Room]:
    """Rooms until they hold that many participants; the last one is cut to fit. Earlier rooms are the same however many are asked for."""
    draw = random.Random(seed)
    sizes, shares = [s for s, _ in room_sizes], [share for _, share in room_sizes]
    rooms, left = [], participants
    while left > 0:
        name = f"room-{len(rooms)}".encode()
        size = min(left, draw.choices(sizes, shares)[0])
        rooms.append(Room(size, murmur2(name), zlib.crc32(name)))
        left -= size
    return rooms


def instance_of(room: Room, routing: str, instances: int, partitions: int) -> int:
    """For the routings that keep a room together: "room" (the balancer hashes the path) and "partition" (it deals out partitions in blocks)."""
    if routing == "partition":
        return partition_of(room.key_hash, partitions) * instances // partitions
    return room.route_hash * instances >> 32


def instances_spanned(size: int, instances: int) -> float:
    """How many instances a room of that size is expected to be on where its participants fall anywhere ("spread")."""
    return instances * (1.0 - (1.0 - 1.0 / instances) ** size)
