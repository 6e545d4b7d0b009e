"""The published entry: python main.py --base configs/motion/default.yaml --train --logdir runs/x --extra 'a.b=c'."""

import sys

from instructavatar.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
