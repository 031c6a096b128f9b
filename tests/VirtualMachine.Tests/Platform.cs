using System.Runtime.Versioning;

[assembly: UnsupportedOSPlatform("windows")]

// One machine at a time: its processors are emulated by this machine's.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
