using System.CommandLine;

namespace EdgeDm.Benchmarks;

/// <summary>One measurement with a name: ours beside a peer, in one call, alternating.</summary>
internal abstract class Bench
{
    /// <summary>As on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>One line.</summary>
    public abstract string Description { get; }

    /// <summary>What the peer is, for the table's head.</summary>
    public abstract string Peer { get; }

    /// <summary>Options of this bench alone.</summary>
    public virtual IReadOnlyList<Option> Options => [];

    /// <summary>Measures. Leaves no process and no file behind, however it ends.</summary>
    /// <exception cref="BenchException">Something did not run as it must to be measured.</exception>
    public abstract Task<IReadOnlyList<Row>> RunAsync(BenchRun run, CancellationToken cancellationToken);
}

/// <summary>How a bench is asked to run.</summary>
/// <param name="Rounds">Samples of each side, at least 1.</param>
/// <param name="Arguments">Values of the bench's own options.</param>
/// <param name="Progress">For people; not the result.</param>
internal sealed record BenchRun(int Rounds, ParseResult Arguments, TextWriter Progress);

/// <summary>A bench cannot be carried out; the message says why.</summary>
internal sealed class BenchException(string message) : Exception(message);
