using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Tests.Support;
using EdgeDm.Hosting;

namespace EdgeDm.FirmwareDownload.Tests;

/// <summary>HTTPS: the system's authorities, an extra file of them, and nothing else.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edgedm-tls-").FullName;
    private readonly byte[] content = TestFiles.Make(50_000);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Fetch_AuthorityInCaFile_Succeeds()
    {
        var (authority, server) = Certificates(IPAddress.Loopback);
        await using var web = await FileServer.StartAsync(content, server);
        await using var bed = new DownloadBed(DownloadBed.Quick with { CaFile = Write(authority) });

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, web.Url)));

        web.Url.ShouldStartWith("https:");
        bed.Stored(content).ShouldBe(content);
    }

    [Fact]
    public async Task Fetch_UnknownAuthority_IsRefused()
    {
        var (_, server) = Certificates(IPAddress.Loopback);
        var (other, _) = Certificates(IPAddress.Loopback);
        await using var web = await FileServer.StartAsync(content, server);
        await using var bed = new DownloadBed(DownloadBed.Quick with { CaFile = Write(other) });

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, web.Url)));

        error.Code.ShouldBe(ErrorRegistry.ConnectionFailed.Code);
        error.Message.ShouldContain("SecureConnectionError");
        web.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Fetch_CertificateOfAnotherName_IsRefused()
    {
        var (authority, server) = Certificates(IPAddress.Parse("127.0.0.9"));
        await using var web = await FileServer.StartAsync(content, server);
        await using var bed = new DownloadBed(DownloadBed.Quick with { CaFile = Write(authority) });

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, web.Url)));

        error.Message.ShouldContain("SecureConnectionError");
    }

    [Fact]
    public async Task Fetch_RedirectFromHttpsToHttp_IsRefused()
    {
        var (authority, server) = Certificates(IPAddress.Loopback);
        await using var plain = await FileServer.StartAsync(content);
        await using var web = await FileServer.StartAsync(content, server);
        web.Misbehave = (http, _) =>
        {
            (http.Response.StatusCode, http.Response.Headers.Location) = (302, plain.Url);
            return Task.FromResult(true);
        };
        await using var bed = new DownloadBed(DownloadBed.Quick with { CaFile = Write(authority) });

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, web.Url)));

        error.Code.ShouldBe(ErrorRegistry.InsecureRedirect.Code);
        plain.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("no certificate")]
    public void Start_CaFileUnusable_IsMisconfigured(string? text)
    {
        var path = Path.Combine(folder, "ca.pem");
        if (text is not null)
        {
            File.WriteAllText(path, text);
        }

        Should
            .Throw<MisconfiguredException>(() => Http.WebClient.Create(DownloadBed.Quick with { CaFile = path }))
            .Message.ShouldContain("EDGEDM_CA_FILE");
    }

    private string Write(X509Certificate2 authority)
    {
        var path = Path.Combine(folder, "ca.pem");
        File.WriteAllText(path, authority.ExportCertificatePem());
        return path;
    }

    private static (X509Certificate2 Authority, X509Certificate2 Server) Certificates(IPAddress address)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var authority = request.CreateSelfSigned(from, to);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var server = new CertificateRequest("CN=Test server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(address);
        server.CertificateExtensions.Add(names.Build());
        server.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false)
        );
        using var signed = server.Create(authority, from, to, RandomNumberGenerator.GetBytes(8));
        return (authority, signed.CopyWithPrivateKey(key));
    }
}
