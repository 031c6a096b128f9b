using System.Runtime.Versioning;

// The dev hub launches and supervises as Unix does.
[assembly: UnsupportedOSPlatform("windows")]

// Half of their time they wait for a gateway.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
