"""python -m coursework release a1"""

import sys

from coursework.course import main

sys.exit(main(sys.argv[1:]))
