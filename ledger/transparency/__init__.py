"""Evidence that history was not rewritten: a tree of hashes over all events, signed, for anybody to verify.

The *tree* is that of RFC 6962: its *leaves* are the lines of the log, its *root* one hash of all of them. A *checkpoint*
is a signed *note* that names a size of the log and the root at that size. A *proof* shows with a few hashes that an event
is in such a tree, or that a later tree continues it. *Tiles* are the tree's hashes cut into files of one size.
A *witness* is somebody else's program that *cosigns* a checkpoint if it continues the last one it saw; a *quorum* is how
many of the witnesses must have done so.

`merkle` and `notes` are arithmetic without files; `log`, `quorum` and `witness` keep and exchange what these compute.
`keys` and `signatures` are of the officers, who sign what they decide.
"""
