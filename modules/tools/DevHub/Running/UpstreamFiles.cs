using System.Text;
using EdgeDm.DevHub.Certificates;
using EdgeDm.DevHub.Identities;
using EdgeDm.Durable;

namespace EdgeDm.DevHub.Running;

/// <summary>What somebody else's edgeHub, and iotedgehubdev, must be told to take this hub for their IoT Hub. There are keys in it: mode 0600.</summary>
/// <param name="EdgeHub">An edgeHub container's variables, for <c>docker run --env-file</c>.</param>
/// <param name="Certificates">The folder that it expects at <c>/ca</c>: the certificate to trust, and one for its own listeners.</param>
/// <param name="Device">The connection string of the gateway's device, for <c>iotedgehubdev setup -c</c>.</param>
internal sealed record UpstreamFiles(string EdgeHub, string Certificates, string Device)
{
    private const string EdgeHubAlias = "edgehub";

    /// <summary>Writes all to <c>&lt;data&gt;/upstream</c>.</summary>
    public static UpstreamFiles Write(string dataFolder, DevHubServer server, DevCertificateAuthority authority)
    {
        var folder = Path.Combine(dataFolder, "upstream");
        var files = new UpstreamFiles(
            Path.Combine(folder, "edgeHub.env"),
            Path.Combine(folder, "ca"),
            Path.Combine(folder, "device.connection-string")
        );
        PrivateFolder.Create(folder);
        PrivateFolder.Create(files.Certificates);
        files.WriteVariables(server);
        files.WriteCertificates(authority);
        return files;
    }

    private void WriteVariables(DevHubServer server)
    {
        // What both a container and this machine can reach, where there are containers.
        var host = server.ContainerEndPoint?.Address.ToString() ?? server.HubHostName;
        var device = server.Identities.Find(new(server.Identities.DeviceId))!;
        var edgeHub = server.Identities.Find(new(device.DeviceId, SystemModules.EdgeHub))!;
        Put(
            EdgeHub,
            $"""
            IotHubConnectionString=HostName={host};DeviceId={device.DeviceId};ModuleId={edgeHub.ModuleId};SharedAccessKey={edgeHub.PrimaryKey}
            UpstreamProtocol=Mqtt
            SSL_CERT_FILE=/ca/root.pem
            EdgeHubDevServerCertificateFile=/ca/server.pem
            EdgeHubDevServerPrivateKeyFile=/ca/server.key.pem
            EdgeHubDevTrustBundleFile=/ca/root.pem

            """
        );
        Put(Device, $"HostName={host};DeviceId={device.DeviceId};SharedAccessKey={device.PrimaryKey}\n");
    }

    private void WriteCertificates(DevCertificateAuthority authority)
    {
        var names = ServerNames.Of(authority.ServerCertificate).All;
        var edgeHub = authority.IssueServerCertificate(EdgeHubAlias, names);
        Put(Path.Combine(Certificates, "root.pem"), authority.TrustBundlePem);
        Put(Path.Combine(Certificates, "server.pem"), edgeHub.CertificatePem);
        Put(Path.Combine(Certificates, "server.key.pem"), edgeHub.PrivateKeyPem);
    }

    private static void Put(string file, string text) =>
        AtomicFile.Write(file, Encoding.UTF8.GetBytes(text), failpoint: null);
}
