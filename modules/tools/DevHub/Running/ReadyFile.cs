using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeDm.DevHub.Certificates;
using EdgeDm.Durable;

namespace EdgeDm.DevHub.Running;

/// <summary>
/// <c>&lt;data&gt;/devhub.json</c>: there while the dev hub serves and its modules were started, for scripts that wait for that.
/// A killed one leaves it behind: compare the process id.
/// </summary>
internal sealed class ReadyFile : IDisposable
{
    private readonly string path;

    private ReadyFile(string path) => this.path = path;

    public static ReadyFile Write(string dataFolder, DevHubServer server, DevCertificateAuthority authority)
    {
        var file = new ReadyFile(Path.Combine(dataFolder, "devhub.json"));
        AtomicFile.Write(
            file.path,
            JsonSerializer.SerializeToUtf8Bytes(
                new Ready(
                    Environment.ProcessId,
                    server.Address.ToString(),
                    server.MqttPort,
                    server.HttpsPort,
                    authority.TrustBundleFile,
                    server.ContainerEndPoint?.Address.ToString()
                ),
                ReadyJson.Default.Ready
            ),
            failpoint: null
        );
        return file;
    }

    public void Dispose() => File.Delete(path);
}

internal sealed record Ready(
    int ProcessId,
    string Address,
    int MqttPort,
    int HttpsPort,
    string TrustBundleFile,
    string? ContainerAddress
);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Ready))]
internal sealed partial class ReadyJson : JsonSerializerContext;
