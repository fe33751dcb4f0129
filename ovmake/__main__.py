"""`python -m ovmake` is the command `ovmake`."""

import sys

from ovmake.cli import main

sys.exit(main())
