"""Mutation: how much of torch.optim the specification notices when it changes."""
