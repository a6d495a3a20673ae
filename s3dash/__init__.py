"""s3dash: a dashboard and sync engine for datastores that people share in an S3 bucket."""
