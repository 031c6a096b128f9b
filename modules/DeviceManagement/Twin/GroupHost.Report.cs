using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Twin;

internal sealed partial class GroupHost
{
    /// <summary>Reports changed data whose period has passed, and comes back for the rest.</summary>
    private void ReportProgress()
    {
        lock (gate)
        {
            var wait = TimeSpan.MaxValue;
            foreach (var name in unreported.ToList())
            {
                var since = lastReport.TryGetValue(name, out var at) ? time.GetElapsedTime(at) : TimeSpan.MaxValue;
                if (since >= progressPeriod)
                {
                    Report(name);
                }
                else
                {
                    wait = wait < progressPeriod - since ? wait : progressPeriod - since;
                }
            }
            if (wait != TimeSpan.MaxValue)
            {
                progressTimer.Change(wait, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Report(string name)
    {
        unreported.Remove(name);
        if (!records.Groups.TryGetValue(name, out var record))
        {
            return;
        }
        lastReport[name] = time.GetTimestamp();
        var report = ReportOf(name, record);
        lastTold[name] = (JsonObject?)report?.DeepClone();
        hub.Report(new Dictionary<string, JsonNode?> { [name] = report, [TwinNames.Summary] = Summary() });
    }

    /// <summary>Nothing differs but how far something is.</summary>
    private static bool IsSameButForNumbers(JsonNode? one, JsonNode? other) =>
        (one, other) switch
        {
            (JsonObject a, JsonObject b) => a.Count == b.Count
                && a.All(p => b.TryGetPropertyValue(p.Key, out var value) && IsSameButForNumbers(p.Value, value)),
            (JsonArray a, JsonArray b) => a.Count == b.Count
                && a.Zip(b).All(p => IsSameButForNumbers(p.First, p.Second)),
            (JsonValue a, JsonValue b) => (
                a.GetValueKind() == JsonValueKind.Number && b.GetValueKind() == JsonValueKind.Number
            ) || JsonNode.DeepEquals(a, b),
            _ => one is null && other is null,
        };

    private JsonObject? ReportOf(string name, GroupRecord record)
    {
        if (record.ReportingMode == DesiredMeta.None)
        {
            return null;
        }
        var group = groups.GetValueOrDefault(name);
        var report = group is not null && record.ReportingMode == DesiredMeta.Detailed ? group.Read() : [];
        var meta = new GroupMeta(
            record.ServiceInterfaceVersion,
            record.ReportingMode,
            group?.InterfaceVersion ?? "",
            record.Status,
            record.Time,
            record.DeploymentId
        );
        report[TwinNames.Meta] = JsonSerializer.SerializeToNode(meta, ContractsJson.Default.GroupMeta);
        if (record.Errors.Count > 0)
        {
            report[TwinNames.Errors] = JsonSerializer.SerializeToNode(
                record.Errors,
                ContractsJson.Default.ImmutableSortedDictionaryStringErrorObject
            );
        }
        return report;
    }

    private JsonNode? Summary()
    {
        var failed = NamesOf(DeploymentStatuses.Failed);
        var pending = NamesOf(DeploymentStatuses.Pending);
        var deployments = records
            .Groups.Values.Select(g => g.DeploymentId)
            .OfType<string>()
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);
        var summary = new TwinSummary(
            string.Join(';', deployments),
            failed.Length,
            string.Join(';', failed),
            pending.Length,
            string.Join(';', pending),
            records.LastChange ?? time.GetUtcNow()
        );
        return JsonSerializer.SerializeToNode(summary, ContractsJson.Default.TwinSummary);
    }

    private ImmutableArray<string> NamesOf(string status) =>
        [.. records.Groups.Where(g => g.Value.Status == status).Select(g => g.Key)];
}
