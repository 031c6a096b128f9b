namespace EdgeDm.DevHub.Launching;

/// <summary>
/// A process sees no mounts, so the places that a container would see are named to it by their paths on the host: in
/// the values of its environment, alone or inside a URI or a list.
/// </summary>
internal sealed class ContainerPaths
{
    private const string Before = ":=,; \"'";
    private const string After = "/:,; \"'?#";

    private readonly (string Target, string HostPath)[] places;

    /// <param name="places">Absolute paths in the container and on the host, without slashes at their ends.</param>
    public ContainerPaths(IEnumerable<(string Target, string HostPath)> places) =>
        // A mount below another one hides that part of it.
        this.places = [.. places.OrderByDescending(place => place.Target.Length)];

    /// <summary>The value with each container path replaced. What merely contains the same letters stays.</summary>
    public string Rewrite(string value)
    {
        for (var index = 0; index < value.Length; index++)
        {
            if (value[index] != '/' || !MayBegin(value, index))
            {
                continue;
            }
            foreach (var (target, hostPath) in places)
            {
                if (IsAt(value, index, target))
                {
                    value = string.Concat(value.AsSpan(0, index), hostPath, value.AsSpan(index + target.Length));
                    index += hostPath.Length - 1;
                    break;
                }
            }
        }
        return value;
    }

    // At the start, after a separator, or after the slashes of a URI without a host.
    private static bool MayBegin(string value, int index) =>
        index == 0
        || Before.Contains(value[index - 1], StringComparison.Ordinal)
        || (index >= 3 && value.AsSpan(index - 3, 3).SequenceEqual("://"));

    private static bool IsAt(string value, int index, string target)
    {
        var end = index + target.Length;
        return string.CompareOrdinal(value, index, target, 0, target.Length) == 0
            && (end == value.Length || (end < value.Length && After.Contains(value[end], StringComparison.Ordinal)));
    }
}
