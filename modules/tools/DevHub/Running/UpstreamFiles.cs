using System.Text;
using EdgeDm.DevHub.Identities;
using EdgeDm.Durable;

namespace EdgeDm.DevHub.Running;

/// <summary>What somebody else's edgeHub, and iotedgehubdev, must be told to take this hub for their IoT Hub. Both hold keys: mode 0600.</summary>
/// <param name="EdgeHub">An edgeHub container's variables, for <c>docker run --env-file</c>; the folder <c>ca</c> is to be mounted at <c>/ca</c>.</param>
/// <param name="Device">The connection string of the gateway's device, for <c>iotedgehubdev setup -c</c>.</param>
internal sealed record UpstreamFiles(string EdgeHub, string Device)
{
    /// <summary>Writes both to <c>&lt;data&gt;/upstream</c>.</summary>
    public static UpstreamFiles Write(string dataFolder, DevHubServer server)
    {
        var folder = Path.Combine(dataFolder, "upstream");
        PrivateFolder.Create(folder);
        var files = new UpstreamFiles(
            Path.Combine(folder, "edgeHub.env"),
            Path.Combine(folder, "device.connection-string")
        );
        // What both a container and this machine can reach, where there are containers.
        var host = server.ContainerEndPoint?.Address.ToString() ?? server.HubHostName;
        var device = server.Identities.Find(new(server.Identities.DeviceId))!;
        var edgeHub = server.Identities.Find(new(device.DeviceId, SystemModules.EdgeHub))!;
        Put(
            files.EdgeHub,
            $"""
            IotHubConnectionString=HostName={host};DeviceId={device.DeviceId};ModuleId={edgeHub.ModuleId};SharedAccessKey={edgeHub.PrimaryKey}
            UpstreamProtocol=Mqtt
            SSL_CERT_FILE=/ca/root.pem
            EdgeHubDevServerCertificateFile=/ca/server.pem
            EdgeHubDevServerPrivateKeyFile=/ca/server.key.pem
            EdgeHubDevTrustBundleFile=/ca/root.pem

            """
        );
        Put(files.Device, $"HostName={host};DeviceId={device.DeviceId};SharedAccessKey={device.PrimaryKey}\n");
        return files;
    }

    private static void Put(string file, string text) =>
        AtomicFile.Write(file, Encoding.UTF8.GetBytes(text), failpoint: null);
}
