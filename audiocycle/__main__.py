"""``python -m audiocycle``, which is also what ``torchrun -m audiocycle train`` starts."""

from audiocycle.cli.main import main

if __name__ == "__main__":
    main()
