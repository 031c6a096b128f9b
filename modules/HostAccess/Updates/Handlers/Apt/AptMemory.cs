using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using EdgeDm.Durable;
using EdgeDm.Updates;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates.Handlers.Apt;

/// <summary>
/// The <c>installedCriteria</c> of apt steps that were done, kept as Device Update's agent keeps them; and, beside an update's files, how
/// often the host went down while it was at work.
/// </summary>
internal sealed class AptMemory
{
    /// <summary>The handler property.</summary>
    public const string Property = "installedCriteria";

    /// <summary>Criteria that are kept, the newest first.</summary>
    public const int MostCriteria = 256;

    private const string InterruptionsFile = ".interruptions";

    private readonly DurableRecord<AptCriteria> record;
    private AptCriteria criteria;

    /// <summary>Reads the record. Lost criteria mean at most that apt is asked once more, and does nothing.</summary>
    public AptMemory(string path, TimeProvider time, ILogger logger)
    {
        record = new(path, AptMemoryJson.Default.AptCriteria, failpoint: null, logger, time: time);
        criteria = record.Load() ?? new([]);
    }

    /// <summary>True when the step's criteria are those of something done, or when it has none.</summary>
    public bool Matches(ManifestStep step) => CriteriaOf(step) is not { } wanted || criteria.Installed.Contains(wanted);

    /// <summary>The step is done; on disk when this returns.</summary>
    public void Remember(ManifestStep step)
    {
        if (CriteriaOf(step) is { } done && !criteria.Installed.Contains(done))
        {
            var next = new AptCriteria([done, .. criteria.Installed.Take(MostCriteria - 1)]);
            record.Save(next);
            criteria = next;
        }
    }

    /// <summary>Counts, on disk, that the host went down under the step; false when that was once too often.</summary>
    public static bool CountInterruption(StepWork work, int most)
    {
        var path = Path.Combine(work.Folder, InterruptionsFile);
        var count =
            File.Exists(path) && int.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out var found)
                ? found
                : 0;
        if (count >= most)
        {
            return false;
        }
        AtomicFile.Write(path, [(byte)('0' + count + 1)], failpoint: null);
        return true;
    }

    private static string? CriteriaOf(ManifestStep step) => new StepProperties(step).Text(Property);
}

/// <summary>The record on disk.</summary>
/// <param name="Installed">Newest first.</param>
internal sealed record AptCriteria(ImmutableArray<string> Installed);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AptCriteria))]
internal sealed partial class AptMemoryJson : JsonSerializerContext;
