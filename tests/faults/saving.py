"""Planted faults in files of runs and nets: a check too few, a write too early, half a run loaded."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

__all__ = ["SAVING_FAULTS"]

_ARCHIVE, _FILE, _RUN = (f"nn/saving/{name}.py" for name in ("archive", "file", "run"))
_GENERATORS = "nn/parameters/generators.py"
_ARCHITECTURE, _ACTIVATIONS, _NET_FILE, _SCORER = (
    f"nn/{name}.py" for name in ("modules/architecture", "modules/activations", "modules/net_file", "scorer")
)
_REPLACE, _LEFTOVERS = (f"autodiff/system/{name}.py" for name in ("replace", "leftovers"))

SAVING_FAULTS: Final = classified({
    "refusal left out": (
        change("file: the checksum is not compared", _ARCHIVE, "arrays[CHECKSUM].tolist() != _checksum(rest)", "False"),
        change("file: a later version is read", _FILE, 'about["version"] > VERSION', "False"),
        change("file: compressed entries are read", _ARCHIVE, "entry.compress_type != zipfile.ZIP_STORED or", ""),
        change("file: the first of two entries is taken", _ARCHIVE, "len(names) < len(entries)", "False"),
        change("file: long doubles are written", _ARCHIVE, "or wide or", "or"),
        change("file: masked arrays lose their masks", _ARCHIVE, "or isinstance(item, np.ma.MaskedArray)", ""),
        change("file: null characters in keys", _ARCHIVE, "not key.isprintable() or ", ""),
        change("resume: parts that are left over are passed over", _RUN, "    if left:", "    if False:"),
        change("generator: another kind is loaded", _GENERATORS, "str(name) != kind.__name__", "False"),
        change("generator: a place outside its memory", _GENERATORS, "not 0 <= saved <= _MOST.get(name, saved)",
               "False"),
        change("net file: a subclass is saved as its base", _ARCHITECTURE, "_KNOWN.get(kind.__name__) is not kind",
               "not any(base.__name__ in _KNOWN for base in kind.__mro__)"),
        change("net file: any activation with a name", _ACTIVATIONS, "if unit(name) == activation:",
               "if True:"),
        change("net file: a shared parameter is written twice", _ARCHITECTURE,
               "len({id(node) for node in nodes}) < len(nodes)", "False"),
        change("net file: a run is made a net", _NET_FILE, "if found.kind != _KIND:", "if False:"),
    ),
    "special points: kinks and edges": (
        change("net file: numbers that are not finite are written", _NET_FILE,
               'if array.dtype.kind == "f" and not np.all(np.isfinite(array)):',
               "if False:"),
        change("net file: numbers that are not finite are loaded", _ARCHITECTURE, "or not np.all(np.isfinite(array))",
               ""),
    ),
    "missing term": (
        change("checksum: without names", _ARCHIVE, "json.dumps([key, ", "json.dumps(["),
        change("checksum: without types", _ARCHIVE, "array.dtype.str, ", ""),
        change("checksum: without shapes", _ARCHIVE, ", arrays[key].shape]", "]"),
        change("checksum: without numbers", _ARCHIVE, "array.reshape(-1).view(np.uint8).data if array.nbytes else b",
               "b"),
        change("generator: without the seeds of its children", _GENERATORS, '"seeds": spawning', '"seeds": None'),
        change("net file: a scorer forgets which words it met", _SCORER, '"words": [*self._words]', '"words": []'),
    ),
    "axes and layout": (
        change("file: the order in memory is ignored", _ARCHIVE, 'order="F" if fortran else "C"', 'order="C"'),
    ),
    "accumulation: aliased": (
        change("file: arrays cannot be written", _ARCHIVE, '.copy(order="K")', ""),
    ),
    "state: half-written after an exception": (
        change("save: written before it is checked", _RUN,
               "    for name, part in parts.items():\n        if (changes_of",
               '    write(path, "run", {name: (type(part).__name__, states[name]) for name, part in parts.items()})\n'
               "    for name, part in parts.items():\n        if (changes_of"),
        change("save: the old file is overwritten first", _REPLACE,
               "            _fill(file, data, old, durable=durable)\n",
               "            place.write_bytes(data)\n            _fill(file, data, old, durable=durable)\n"),
        change("save: content is not synced", _REPLACE, "        os.fsync(file.fileno())", "        pass"),
        change("save: names are not synced", _REPLACE, "        _keep_name(place.parent)", "        pass"),
        change("save: what a kill leaves stays", _REPLACE, "    delete_leftovers(place.parent)\n", ""),
        change("save: hidden files of living writers are deleted", _LEFTOVERS,
               "        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)\n", ""),
        change("resume: part by part", _RUN, 'changes += _explained(f"{path}: {name}", changes_of, found.state(name))',
               'commit_with_generators(_explained(f"{path}: {name}", changes_of, found.state(name)))'),
        change("resume: what was loaded before an error stays", _RUN, "                part.load(state)\n",
               "                pass\n"),
        change("resume: Ctrl-C after the end undoes one half", _RUN, "        if not done:", "        if True:"),
    ),
})  # fmt: skip
