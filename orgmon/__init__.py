"""Security monitoring for a whole AWS organization, rolled out with CloudFormation StackSets."""

__version__ = "0.1.0"
