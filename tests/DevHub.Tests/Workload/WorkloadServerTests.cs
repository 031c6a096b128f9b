using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using EdgeDm.DevHub.Certificates;
using EdgeDm.DevHub.Launching;
using EdgeDm.DevHub.Workload;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests.Workload;

/// <summary>The workload API over its real socket, down to the bytes: SDKs bring their own small HTTP parsers.</summary>
public sealed class WorkloadServerTests : IAsyncLifetime
{
    private const string Own = "/modules/Telemetry/genid/1";

    private readonly TemporaryFolder folder = new();
    private readonly Keys keys = new();
    private DevCertificateAuthority authority = null!;
    private WorkloadServer server = null!;
    private string socket = "";

    public async ValueTask InitializeAsync()
    {
        authority = DevCertificateAuthority.Open(
            folder.File("ca"),
            ServerNames.ForDevHub(),
            TimeProvider.System,
            NullLogger.Instance
        );
        server = new(keys, authority, new States(), NullLoggerFactory.Instance);
        socket = ShortPaths.Open(folder.File("data"), folder.Path).WorkloadSocket("Telemetry");
        await server.OpenAsync("Telemetry", socket, forEveryUser: false, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        authority.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Sign_Data_IsTheHmacUnderTheModulesKey()
    {
        var data = "hub%2Fdevices%2Fgateway%2Fmodules%2FTelemetry\n1767225600"u8.ToArray();

        var reply = await PostAsync(
            $"{Own}/sign",
            $$"""{"keyId":"primary","algo":"HMACSHA256","data":"{{Convert.ToBase64String(data)}}"}"""
        );

        reply.Status.ShouldBe("HTTP/1.1 200 OK");
        reply
            .Json.GetProperty("digest")
            .GetString()
            .ShouldBe(Convert.ToBase64String(HMACSHA256.HashData(Keys.Secret, data)));
    }

    [Fact]
    public async Task Reply_AsBytes_HasALengthAndJsonTypeAndIsNotChunked()
    {
        var reply = await GetAsync("/trust-bundle");

        reply
            .Headers["content-length"]
            .ShouldBe(Encoding.UTF8.GetByteCount(reply.Body).ToString(CultureInfo.InvariantCulture));
        reply.Headers["content-type"].ShouldBe("application/json");
        reply.Headers.ShouldNotContainKey("transfer-encoding");
    }

    [Fact]
    public async Task Error_AsBytes_HasALengthAndAMessage()
    {
        var reply = await PostAsync("/modules/Other/genid/1/sign", """{"data":"AAAA"}""");

        reply
            .Headers["content-length"]
            .ShouldBe(Encoding.UTF8.GetByteCount(reply.Body).ToString(CultureInfo.InvariantCulture));
        reply.Json.GetProperty("message").GetString()!.ShouldContain("Telemetry's");
    }

    [Theory]
    [InlineData("POST", "/modules/Other/genid/1/sign", "403 Forbidden")]
    [InlineData("POST", "/modules/Other/genid/1/certificate/server", "403 Forbidden")]
    [InlineData("POST", "/modules/Other/certificate/identity", "403 Forbidden")]
    [InlineData("GET", "/nothing", "404 Not Found")]
    [InlineData("GET", "/modules/Telemetry/genid/1/sign", "404 Not Found")]
    [InlineData("POST", "/modules/Telemetry/genid/1/sign", "400 Bad Request")]
    public async Task Request_ThatIsRefused_SaysWhy(string method, string path, string status)
    {
        var reply = await SendAsync(method, path + "?api-version=2018-06-28", "{}");

        reply.Status.ShouldBe("HTTP/1.1 " + status);
        reply.Json.GetProperty("message").GetString().ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData("""{"data":"no base64!"}""")]
    [InlineData("""{"data":7}""")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("")]
    public async Task Sign_BadBody_Is400(string body) =>
        (await PostAsync($"{Own}/sign", body)).Status.ShouldBe("HTTP/1.1 400 Bad Request");

    [Fact]
    public async Task Request_WithoutApiVersion_Is400() =>
        (await SendAsync("GET", "/trust-bundle", "")).Status.ShouldBe("HTTP/1.1 400 Bad Request");

    [Fact]
    public async Task Request_LargerThanAllowed_Is413()
    {
        var reply = await SendAsync(
            "POST",
            $"{Own}/sign?api-version=2018-06-28",
            "",
            declaredLength: WorkloadServer.LargestRequest + 1
        );

        reply.Status.ShouldBe("HTTP/1.1 413 Payload Too Large");
    }

    [Fact]
    public async Task Request_OfAModuleWithoutIdentity_Is404()
    {
        keys.Known = false;

        (await PostAsync($"{Own}/sign", """{"data":"AAAA"}""")).Status.ShouldBe("HTTP/1.1 404 Not Found");
    }

    [Fact]
    public async Task Request_ForAnEncodedName_ReachesThatModule()
    {
        var other = ShortPaths.Open(folder.File("data"), folder.Path).WorkloadSocket("$edgeHub");
        await server.OpenAsync("$edgeHub", other, forEveryUser: true, CancellationToken.None);

        var reply = await PostAsync("/modules/%24edgeHub/genid/1/sign", """{"data":"AAAA"}""", other);

        reply.Status.ShouldBe("HTTP/1.1 200 OK");
    }

    [Fact]
    public async Task Decrypt_OfWhatWasEncrypted_GivesThePlaintext()
    {
        var encrypted = await EncryptAsync();

        var reply = await PostAsync(
            $"{Own}/decrypt",
            $$"""{"ciphertext":"{{encrypted}}","initializationVector":"AAAA"}"""
        );

        Encoding.UTF8.GetString(reply.Json.GetProperty("plaintext").GetBytesFromBase64()).ShouldBe("secret");
    }

    [Fact]
    public async Task Encrypt_Twice_GivesDifferentBytes() => (await EncryptAsync()).ShouldNotBe(await EncryptAsync());

    [Fact]
    public async Task Decrypt_WithAnotherVectorOrChangedBytes_Is400()
    {
        var encrypted = await EncryptAsync();
        var changed = Convert.FromBase64String(encrypted);
        changed[^1] ^= 1;

        var replies = new[]
        {
            await PostAsync($"{Own}/decrypt", $$"""{"ciphertext":"{{encrypted}}","initializationVector":"BBBB"}"""),
            await PostAsync(
                $"{Own}/decrypt",
                $$"""{"ciphertext":"{{Convert.ToBase64String(changed)}}","initializationVector":"AAAA"}"""
            ),
            await PostAsync($"{Own}/decrypt", """{"ciphertext":"AAAA","initializationVector":"AAAA"}"""),
        };

        replies.ShouldAllBe(reply => reply.Status == "HTTP/1.1 400 Bad Request");
    }

    [Fact]
    public async Task ServerCertificate_Asked_ChainsToTheTrustBundle()
    {
        var bundle = (await GetAsync("/trust-bundle")).Json.GetProperty("certificate").GetString()!;

        var reply = await PostAsync(
            $"{Own}/certificate/server",
            $$"""{"commonName":"gateway.local","expiration":"{{DateTimeOffset.UtcNow.AddDays(7):o}}"}"""
        );

        reply.Status.ShouldBe("HTTP/1.1 201 Created");
        using var certificate = Certificate(reply);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(bundle);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.Build(certificate).ShouldBeTrue();
        ServerNames.Of(certificate).All.ShouldContain("gateway.local");
        reply.Json.GetProperty("expiration").GetDateTimeOffset().ShouldBeLessThan(DateTimeOffset.UtcNow.AddDays(8));
        bundle.ShouldEndWith("-----END CERTIFICATE-----\n");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"commonName":""}""")]
    [InlineData("""{"commonName":"gateway","expiration":"2001-01-01T00:00:00Z"}""")]
    [InlineData("""{"commonName":"gateway","expiration":"soon"}""")]
    public async Task ServerCertificate_AskedWrongly_Is400(string body) =>
        (await PostAsync($"{Own}/certificate/server", body)).Status.ShouldBe("HTTP/1.1 400 Bad Request");

    [Theory]
    [InlineData("/modules/Telemetry/certificate/identity")]
    [InlineData("/modules/Telemetry/genid/1/certificate/identity")]
    public async Task IdentityCertificate_Asked_NamesTheModule(string path)
    {
        using var certificate = Certificate(await PostAsync(path, "{}"));

        certificate.Subject.ShouldBe("CN=Telemetry");
        certificate
            .Extensions.Select(e => e.Format(false))
            .ShouldContain(text => text.Contains("gateway/modules/Telemetry"));
    }

    [Fact]
    public async Task ManifestTrustBundle_WithoutOne_IsEmpty() =>
        (await GetAsync("/manifest-trust-bundle")).Json.GetProperty("certificate").GetString().ShouldBe("");

    [Fact]
    public async Task Modules_Asked_HaveStatesAndNoEnvironment()
    {
        var module = (await GetAsync("/modules")).Json.GetProperty("modules").EnumerateArray().Single();

        module.GetProperty("id").GetString().ShouldBe("Telemetry");
        module.GetProperty("status").GetProperty("runtimeStatus").GetProperty("status").GetString().ShouldBe("running");
        module.GetProperty("config").GetProperty("env").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Open_SocketOfAKilledHubLeft_TakesItsPlace()
    {
        var left = folder.File("left.sock");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(left));
        }
        File.WriteAllText(left, "");

        await server.OpenAsync("Other", left, forEveryUser: false, CancellationToken.None);

        (await GetAsync("/trust-bundle", left)).Status.ShouldBe("HTTP/1.1 200 OK");
    }

    private async Task<string> EncryptAsync() =>
        (
            await PostAsync(
                $"{Own}/encrypt",
                $$"""{"plaintext":"{{Convert.ToBase64String("secret"u8)}}","initializationVector":"AAAA"}"""
            )
        )
            .Json.GetProperty("ciphertext")
            .GetString()!;

    private static X509Certificate2 Certificate(Reply reply) =>
        X509Certificate2.CreateFromPem(
            reply.Json.GetProperty("certificate").GetString()!,
            reply.Json.GetProperty("privateKey").GetProperty("bytes").GetString()!
        );

    private Task<Reply> GetAsync(string path, string? at = null) =>
        SendAsync("GET", path + "?api-version=2020-07-07", "", at: at);

    private Task<Reply> PostAsync(string path, string body, string? at = null) =>
        SendAsync("POST", path + "?api-version=2018-06-28", body, at: at);

    // As the C# SDK sends it: the socket's name as host, one request per connection.
    private async Task<Reply> SendAsync(
        string method,
        string path,
        string body,
        int? declaredLength = null,
        string? at = null
    )
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(at ?? socket), limit.Token);
        await using var stream = new NetworkStream(client);
        var length = declaredLength ?? Encoding.UTF8.GetByteCount(body);
        await stream.WriteAsync(
            Encoding.UTF8.GetBytes(
                $"{method} {path} HTTP/1.1\r\nHost: {Path.GetFileName(at ?? socket)}:80\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            ),
            limit.Token
        );
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return Reply.Parse(await reader.ReadToEndAsync(limit.Token));
    }

    private sealed record Reply(string Status, Dictionary<string, string> Headers, string Body)
    {
        public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Body);

        public static Reply Parse(string text)
        {
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            var lines = text[..end].Split("\r\n");
            return new(
                lines[0],
                lines
                    .Skip(1)
                    .Select(line => line.Split(": ", 2))
                    .ToDictionary(pair => pair[0].ToLowerInvariant(), pair => pair[1], StringComparer.Ordinal),
                text[(end + 4)..]
            );
        }
    }

    private sealed class Keys : IModuleKeys
    {
        public static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

        public bool Known { get; set; } = true;

        public string DeviceId => "gateway";

        public string HubHostName => "hub.local";

        public ModuleKey? Find(string moduleId) => Known ? new("1", Secret) : null;
    }

    private sealed class States : IModuleStates
    {
        public IReadOnlyList<ModuleState> List() => [new("Telemetry", "running", 1, null, 0, "")];
    }
}
