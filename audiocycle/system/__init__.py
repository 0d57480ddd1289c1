"""What any program needs: whole files, locks, threads, downloads; and the loader of a speech recogniser."""
