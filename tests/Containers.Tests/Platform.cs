using System.Runtime.Versioning;

[assembly: UnsupportedOSPlatform("windows")]

// One gateway at a time: they are measured against time limits of the real ones.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
