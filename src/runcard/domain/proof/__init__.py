"""What proves that a record is whole: a Merkle tree over its entries, and the signed heads of that tree."""
