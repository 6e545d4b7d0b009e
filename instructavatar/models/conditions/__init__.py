"""What steers the generator, one file each."""
