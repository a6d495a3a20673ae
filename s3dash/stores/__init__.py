"""Keys, files and blobs on S3, over the object-store port."""
