"""Speed as ratios: each work beside a peer and a limit, measured in the same run on the same machine."""
