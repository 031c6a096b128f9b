namespace EdgeDm.Durable;

/// <summary>
/// A write that must survive: a test can kill the process just before and just after it, as a power cut would. Kept in a static
/// field, so that the tests find all of them and fail when one is never exercised. Costs one comparison when no test asked
/// (see <see cref="FailpointFolder"/>).
/// </summary>
public sealed class Failpoint
{
    private readonly string before;
    private readonly string after;
    private readonly string? removing;
    private readonly string? removed;

    /// <param name="name">Lower-case words parted by dots: what is written.</param>
    /// <param name="removes">Its removal matters as well, which mere housekeeping does not: two more points.</param>
    public Failpoint(string name, bool removes = false)
    {
        before = name + ".before";
        after = name + ".after";
        removing = removes ? name + ".remove.before" : null;
        removed = removes ? name + ".remove.after" : null;
    }

    /// <summary>Names of its two or four points, as a test arms them.</summary>
    public IReadOnlyList<string> Points => removing is null ? [before, after] : [before, after, removing, removed!];

    /// <summary>To be called when the write is prepared and has no effect yet.</summary>
    public void Before() => FailpointFolder.Pass(before);

    /// <summary>To be called when the write is on disk.</summary>
    public void After() => FailpointFolder.Pass(after);

    /// <summary>To be called before what was written is removed.</summary>
    public void Removing() => FailpointFolder.Pass(removing);

    /// <summary>To be called when the removal is on disk.</summary>
    public void Removed() => FailpointFolder.Pass(removed);
}
