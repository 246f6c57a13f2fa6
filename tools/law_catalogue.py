"""Build src/kabao/law/catalogue.json anew from the YAML files beside it; prints how many citations it holds."""

import sys
from pathlib import Path

from kabao.law import Catalogue, CatalogueError, pack
from kabao.law.reading import read_folder

PACKED = Path(__file__).parents[1] / "src" / "kabao" / "law" / "catalogue.json"


def main() -> int:
    """Return 0, or 1 with file and line of what is wrong."""
    try:
        content = read_folder()
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 1
    PACKED.write_bytes(pack(content))
    print(f"{len(Catalogue(content))} citations of {len(content.instruments)} instruments")
    return 0


if __name__ == "__main__":
    sys.exit(main())
