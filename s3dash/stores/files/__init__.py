"""Files on S3: directories, whole and ranged reads, staged writes, safe renames."""
