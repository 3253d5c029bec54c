/** Why policies for nodes are not rolled out here, and the way that locks nobody out at once. */
export const BY_NODE =
  'A policy for nodes locks everybody out of a node at once where it is wrong, also those who would put it back, so it is not rolled out by pods. By node: give one node a label, let its nodeSelector name that label, look at that node, and label the others one by one.';
