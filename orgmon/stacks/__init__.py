"""The stacks that orgmon deploys, one file each, written with Troposphere and awacs."""
