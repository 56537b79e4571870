using System.Runtime.Versioning;
using Xunit.Sdk;
using Xunit.v3;

[assembly: SupportedOSPlatform("linux")]

// Each story runs whole farms and watches the clock: one at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
