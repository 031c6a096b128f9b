using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Routing;
using EdgeDm.DevHub.Twins;
using EdgeDm.Durable;

namespace EdgeDm.DevHub.Recording;

/// <summary>
/// What left the modules for the cloud, one JSON object a line, in the order in which the hub took it: every reported patch and every
/// message to <c>$upstream</c>. A line is in the file before its sender hears that it was taken, so nothing that a module believes to be
/// reported is missing, whenever the hub is killed; a patch whose line is the last may not have been taken yet, and comes again
/// with the same <c>version</c>. The file is added to, also by the next hub; a line that a kill tore stays, and is no JSON.
/// </summary>
public sealed class TrafficRecord : ITwinObserver, IDisposable
{
    private const byte EndOfLine = (byte)'\n';

    private readonly TimeProvider time;
    private readonly FileStream file;
    private readonly Lock gate = new();

    /// <summary>Opens the file; its folder must exist.</summary>
    public TrafficRecord(string path, TimeProvider time)
    {
        this.time = time;
        file = LineFile.OpenToAppend(path, FileShare.Read);
    }

    /// <inheritdoc/>
    public void OnDesiredChanged(Twin twin, JsonObject changed) { }

    /// <inheritdoc/>
    public void OnReporting(Twin twin, JsonObject patch) =>
        Write(
            new()
            {
                ["kind"] = "reported",
                ["deviceId"] = twin.Id.DeviceId,
                ["moduleId"] = twin.Id.ModuleId,
                ["version"] = twin.Reported.Version,
                ["patch"] = patch.DeepClone(),
            }
        );

    /// <summary>A message goes upstream.</summary>
    public void OnUpstream(HubMessage message) =>
        Write(
            new()
            {
                ["kind"] = "message",
                ["source"] = message.Source,
                ["message"] = message.ToDocument(),
            }
        );

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private void Write(JsonObject line)
    {
        line["time"] = time.GetUtcNow();
        lock (gate)
        {
            file.Write([.. Encoding.UTF8.GetBytes(line.ToJsonString()), EndOfLine]);
        }
    }
}
