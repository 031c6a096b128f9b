using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeDm.DevHub.Certificates;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests.Certificates;

public sealed class DevCertificateAuthorityTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly FakeTimeProvider time = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Open_FirstTime_MakesKeysThatOnlyTheOwnerReads()
    {
        using var authority = Open("localhost");

        File.GetUnixFileMode(folder.File("ca")).ShouldBe(Mode("700"));
        Directory.GetFiles(folder.File("ca"), "*.key.pem").Length.ShouldBe(2);
        Directory
            .GetFiles(folder.File("ca"), "*.key.pem")
            .ShouldAllBe(file => File.GetUnixFileMode(file) == Mode("600"));
    }

    [Fact]
    public void Open_KeyReadableByOthers_IsClosedAgain()
    {
        Open("localhost").Dispose();
        File.SetUnixFileMode(folder.File("ca", "root.key.pem"), Mode("644"));

        Open("localhost").Dispose();

        File.GetUnixFileMode(folder.File("ca", "root.key.pem")).ShouldBe(Mode("600"));
    }

    [Fact]
    public void Open_SecondTime_KeepsRootAndServerCertificate()
    {
        using var first = Open("localhost");
        using var second = Open("localhost");

        second.TrustBundlePem.ShouldBe(first.TrustBundlePem);
        second.ServerCertificate.Thumbprint.ShouldBe(first.ServerCertificate.Thumbprint);
    }

    [Fact]
    public void Open_OtherNames_RenewsTheServerCertificateUnderTheSameRoot()
    {
        using var first = Open("localhost");
        using var second = Open("localhost", "127.0.0.2", "my-gateway");

        second.TrustBundlePem.ShouldBe(first.TrustBundlePem);
        second.ServerCertificate.Thumbprint.ShouldNotBe(first.ServerCertificate.Thumbprint);
        ServerNames.Of(second.ServerCertificate).All.ShouldBe(["127.0.0.2", "localhost", "my-gateway"]);
    }

    [Fact]
    public void Open_NameThatNoCertificateCanHold_IsLeftOutAndRenewsNothing()
    {
        using var first = Open("localhost", "not a name", "");
        using var second = Open("localhost", "not a name", "");

        ServerNames.Of(first.ServerCertificate).All.ShouldBe(["localhost"]);
        second.ServerCertificate.Thumbprint.ShouldBe(first.ServerCertificate.Thumbprint);
    }

    [Theory]
    [InlineData(5448, false)]
    [InlineData(5450, true)]
    public void Open_ServerCertificateNearItsEnd_RenewsIt(int days, bool renewed)
    {
        using var first = Open("localhost");
        time.Advance(TimeSpan.FromDays(days));
        using var second = Open("localhost");

        (second.ServerCertificate.Thumbprint != first.ServerCertificate.Thumbprint).ShouldBe(renewed);
        second.TrustBundlePem.ShouldBe(first.TrustBundlePem);
    }

    [Fact]
    public void Open_RootNearItsEnd_RenewsRootAndServerCertificate()
    {
        using var first = Open("localhost");
        time.Advance(DevCertificateAuthority.RootLifetime - TimeSpan.FromDays(29));
        using var second = Open("localhost");

        second.TrustBundlePem.ShouldNotBe(first.TrustBundlePem);
        Verify(second, second.ServerCertificate).ShouldBeTrue();
    }

    [Theory]
    [InlineData("root.pem")]
    [InlineData("root.key.pem")]
    [InlineData("server.key.pem")]
    public void Open_DamagedFile_IsMadeAnew(string file)
    {
        Open("localhost").Dispose();
        File.WriteAllText(folder.File("ca", file), "-----BEGIN CERTIFICATE-----\nAAAA\n");

        using var authority = Open("localhost");

        Verify(authority, authority.ServerCertificate).ShouldBeTrue();
    }

    [Fact]
    public void TrustBundlePem_Always_EndsWithANewlineAndStandsInItsFile()
    {
        using var authority = Open("localhost");

        authority.TrustBundlePem.ShouldEndWith("-----END CERTIFICATE-----\n");
        File.ReadAllText(authority.TrustBundleFile).ShouldBe(authority.TrustBundlePem);
    }

    [Theory]
    [InlineData("localhost", SslProtocols.Tls12)]
    [InlineData("localhost", SslProtocols.Tls13)]
    [InlineData("127.0.0.2", SslProtocols.Tls13)]
    public async Task ServerCertificate_UnderTls_IsVerifiedByAClientThatTrustsTheBundle(
        string host,
        SslProtocols protocol
    )
    {
        using var authority = DevCertificateAuthority.Open(
            folder.File("ca"),
            ServerNames.ForDevHub("127.0.0.2"),
            TimeProvider.System,
            NullLogger.Instance
        );

        var seen = await HandshakeAsync(authority, host, protocol);

        seen.ShouldBe(SslPolicyErrors.None);
    }

    [Fact]
    public async Task ServerCertificate_UnderAnotherName_IsRefused()
    {
        using var authority = DevCertificateAuthority.Open(
            folder.File("ca"),
            ServerNames.ForDevHub(),
            TimeProvider.System,
            NullLogger.Instance
        );

        await Should.ThrowAsync<AuthenticationException>(() =>
            HandshakeAsync(authority, "gateway.example", SslProtocols.Tls13)
        );
    }

    [Fact]
    public void IssueServerCertificate_ForAModule_ChainsToTheBundleWithItsNamesAndAMatchingKey()
    {
        using var authority = Open("localhost");

        var issued = authority.IssueServerCertificate("gateway.local", ["telemetry"]);

        using var certificate = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.PrivateKeyPem);
        certificate.GetRSAPrivateKey().ShouldNotBeNull(); // edgeHub's library reads no other.
        Verify(authority, certificate).ShouldBeTrue();
        ServerNames.Of(certificate).All.ShouldBe(["gateway.local", "telemetry"]);
        issued.CertificatePem.ShouldEndWith(authority.TrustBundlePem);
    }

    [Fact]
    public void IssueServerCertificate_LongerThanAllowed_IsCut()
    {
        using var authority = Open("localhost");

        var issued = authority.IssueServerCertificate("gateway", expiration: time.GetUtcNow().AddYears(50));

        issued.Expiration.ShouldBe(time.GetUtcNow() + DevCertificateAuthority.LongestLeafLifetime);
    }

    [Fact]
    public void IssueServerCertificate_ExpirationInThePast_IsRefused()
    {
        using var authority = Open("localhost");

        Should.Throw<ArgumentOutOfRangeException>(() =>
            authority.IssueServerCertificate("gateway", expiration: time.GetUtcNow().AddSeconds(-1))
        );
    }

    private DevCertificateAuthority Open(params string[] names) =>
        DevCertificateAuthority.Open(folder.File("ca"), new ServerNames(names), time, NullLogger.Instance);

    private bool Verify(DevCertificateAuthority authority, X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(authority.TrustBundlePem);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = time.GetUtcNow().UtcDateTime;
        return chain.Build(certificate);
    }

    private static async Task<SslPolicyErrors> HandshakeAsync(
        DevCertificateAuthority authority,
        string host,
        SslProtocols protocol
    )
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, limit.Token);
        using var accepted = await listener.AcceptTcpClientAsync(limit.Token);
        await using var server = new SslStream(accepted.GetStream());
        var serving = server.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificate = authority.ServerCertificate },
            limit.Token
        );

        var trust = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        trust.CustomTrustStore.ImportFromPem(authority.TrustBundlePem);
        var errors = SslPolicyErrors.RemoteCertificateNotAvailable;
        await using var stream = new SslStream(client.GetStream());
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = host,
                EnabledSslProtocols = protocol,
                CertificateChainPolicy = trust,
                RemoteCertificateValidationCallback = (_, _, _, found) => (errors = found) == SslPolicyErrors.None,
            },
            limit.Token
        );
        await serving;
        return errors;
    }

    private static UnixFileMode Mode(string octal) => (UnixFileMode)Convert.ToInt32(octal, 8);
}
