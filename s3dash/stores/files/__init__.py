"""Files and directories: a filesystem on S3."""
