"""`python -m vaeedu.cli` is `vaeedu`; so is `torchrun -m vaeedu.cli`, in several processes."""

import sys

from vaeedu.cli import main

sys.exit(main())
