import random, json
from pathlib import Path
from kabao.packs import verify
from packbuilder import *
from .conftest import Laboratory, verdict_of
from .test_agreement import dishonest
def test_x(laboratory, small, tmp_path):
    for seed in range(6):
        chance, path = random.Random(seed), tmp_path / "pack.zip"
        packs = [bytes_of(dishonest(small.copy(), chance)) for _ in range(400)]
        base=bytes_of(small)
        found = laboratory.verdicts(packs)
        for i,(pack, one) in enumerate(zip(packs, found, strict=True)):
            v=verdict_of(path, pack)
            if v!=one:
                print(seed,i,one,v)
                Path(f'/tmp/bld/div-{seed}-{i}.zip').write_bytes(pack)
                r=verify.check(path)
                print(r.lines(english=True))
                Path('/tmp/bld/base.zip').write_bytes(base)
