using System.Net.Security;
using System.Runtime.Versioning;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeDm.Hub.Internal;
using EdgeDm.Hub.Tests.Servers;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class CertificateTests : IAsyncLifetime
{
    private readonly TlsServer server = new() { AsksForCertificate = true };
    private readonly X509Certificate2 client = TestAuthority.Default.Issue("gateway");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return server.DisposeAsync();
    }

    [Fact]
    public async Task Connect_FromCertificate_ShowsItInTlsAndSendsNoPassword()
    {
        var options = server.Options with { Credential = HubCredential.FromCertificate(client) };

        await ShouldShowTheCertificateAsync(options);
    }

    [Fact]
    public async Task Connect_FromCertificateWithChain_SendsTheChainToo()
    {
        using var chained = CertificateChain.Make();
        string[] seen = [];
        var accepting = server.AcceptTcpAsync();
        var options = server.Options with
        {
            Credential = HubCredential.FromCertificate(chained.Leaf, [chained.Intermediate]),
        };
        var connecting = IoTHubSession.ConnectAsync(options).AsTask();
        var connection = await accepting;
        await using var tls = new SslStream(connection.GetStream());
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificate = TestAuthority.Default.Server,
                ClientCertificateRequired = true,
                RemoteCertificateValidationCallback = (_, _, chain, _) =>
                {
                    seen = [.. chain!.ChainPolicy.ExtraStore.Select(sent => sent.Subject)];
                    return chain.ChainElements.Count > 0;
                },
            }
        );
        await using var hub = await TlsServer.WelcomeAsync(connection, tls);
        await using var session = await connecting;

        seen.ShouldContain(chained.Intermediate.Subject);
    }

    [Fact]
    public async Task Connect_InjectedOptionsWithCertificateAlone_AreTheCredential()
    {
        var options = server.Options with
        {
            Credential = null,
            Tls = new() { ClientCertificates = [client] },
        };

        await ShouldShowTheCertificateAsync(options);
    }

    [Fact]
    public async Task Connect_InjectedOptionsWithSelectionCallbackAlone_AreTheCredential()
    {
        var options = server.Options with
        {
            Credential = null,
            Tls = new() { LocalCertificateSelectionCallback = (_, _, _, _, _) => client },
        };

        await ShouldShowTheCertificateAsync(options);
    }

    [Fact]
    public async Task Connect_InjectedOptionsWithCertificateContextAlone_AreTheCredential()
    {
        var context = SslStreamCertificateContext.Create(client, null, offline: true);

        await ShouldShowTheCertificateAsync(
            server.Options with
            {
                Credential = null,
                Tls = new() { ClientCertificateContext = context },
            }
        );
    }

    [Fact]
    public async Task Connect_ConnectionStringX509_ShowsTheCertificate()
    {
        var text =
            "HostName=contoso.azure-devices.net;GatewayHostName=127.0.0.1;DeviceId=gateway;ModuleId=Module;x509=true";
        var options = HubSessionOptions.FromConnectionString(text, new() { ClientCertificates = [client] }) with
        {
            Port = server.Port,
            TrustedRoots = TestAuthority.Default.Roots,
        };

        await ShouldShowTheCertificateAsync(options);
    }

    [Fact]
    public async Task Connect_KeyBesideInjectedCertificate_SendsBoth()
    {
        var options = server.Options with { Tls = new() { ClientCertificates = [client] } };
        var (shown, connection) = await ConnectAsync(options);

        shown.ShouldBe(client.Thumbprint);
        connection.Connect!.Password.ShouldNotBeNull();
    }

    [Fact]
    public async Task Connect_InjectedOptions_AreNotChanged()
    {
        var tls = new SslClientAuthenticationOptions();
        await ConnectAsync(server.Options with { Tls = tls });

        tls.TargetHost.ShouldBeNull();
        tls.CertificateChainPolicy.ShouldBeNull();
        tls.RemoteCertificateValidationCallback.ShouldBeNull();
        tls.EnabledSslProtocols.ShouldBe(SslProtocols.None);
    }

    [Fact]
    public async Task Connect_InjectedTargetHost_IsTheNameThatIsChecked()
    {
        _ = server.AcceptAsync();
        var error = await Should.ThrowAsync<ConnectFailedException>(() =>
            IoTHubSession.ConnectAsync(server.Options with { Tls = new() { TargetHost = "other.example" } }).AsTask()
        );
        error.InnerException.ShouldBeOfType<AuthenticationException>();
    }

    [Fact]
    public async Task Connect_InjectedValidation_Decides()
    {
        var asked = 0;
        var options = server.Options with
        {
            TrustedRoots = null,
            Tls = new() { RemoteCertificateValidationCallback = (_, _, _, _) => ++asked > 0 },
        };
        await ConnectAsync(options);
        asked.ShouldBe(1);
    }

    [Fact]
    public async Task Connect_InjectedProtocolsThatTheServerLacks_Fails()
    {
        var accepting = server.AcceptTcpAsync();
        var connecting = IoTHubSession
            .ConnectAsync(server.Options with { Tls = new() { EnabledSslProtocols = SslProtocols.Tls12 } })
            .AsTask();
        var connection = await accepting;
        await using var tls = new SslStream(connection.GetStream());
        await Should.ThrowAsync<AuthenticationException>(() =>
            tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificate = TestAuthority.Default.Server,
                    EnabledSslProtocols = SslProtocols.Tls13,
                }
            )
        );
        await Should.ThrowAsync<ConnectFailedException>(connecting);
    }

    [Fact]
    [SupportedOSPlatform("linux")] // Some settings are not everywhere.
    public void Copy_OfTlsOptions_HasEveryProperty()
    {
        var given = new SslClientAuthenticationOptions
        {
            AllowRenegotiation = !new SslClientAuthenticationOptions().AllowRenegotiation,
            AllowRsaPkcs1Padding = false,
            AllowRsaPssPadding = false,
            AllowTlsResume = false,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            CertificateChainPolicy = new() { RevocationMode = X509RevocationMode.Offline },
            CertificateRevocationCheckMode = X509RevocationMode.Online,
            CipherSuitesPolicy = new([TlsCipherSuite.TLS_AES_128_GCM_SHA256]),
            ClientCertificateContext = SslStreamCertificateContext.Create(client, null, offline: true),
            ClientCertificates = [client],
            EnabledSslProtocols = SslProtocols.Tls13,
            LocalCertificateSelectionCallback = (_, _, _, _, _) => client,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            TargetHost = "h",
        };
        var fresh = new SslClientAuthenticationOptions();
        var copy = HubTls.Copy(given);

        foreach (var property in typeof(SslClientAuthenticationOptions).GetProperties())
        {
            var (from, to) = (property.GetValue(given), property.GetValue(copy));
            if (property.Name != nameof(fresh.EncryptionPolicy)) // Has one value that is not obsolete.
            {
                from.ShouldNotBe(property.GetValue(fresh), $"{property.Name} must differ for this test to tell");
            }
            if (from is X509ChainPolicy policy)
            {
                ((X509ChainPolicy)to!).RevocationMode.ShouldBe(policy.RevocationMode);
            }
            else
            {
                to.ShouldBe(from, property.Name);
            }
        }
        copy.ClientCertificates.ShouldNotBeSameAs(given.ClientCertificates);
        copy.CertificateChainPolicy.ShouldNotBeSameAs(given.CertificateChainPolicy);
    }

    [Fact]
    public void FromCertificate_WithoutKey_IsRefused()
    {
        using var bare = X509CertificateLoader.LoadCertificate(client.RawData);
        Should.Throw<ArgumentException>(() => HubCredential.FromCertificate(bare)).Message.ShouldContain("CN=server");
    }

    [Fact]
    public async Task Connect_CertificateExpired_FailsWithoutTouchingTheNetwork()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(client.NotAfter).AddSeconds(1));
        var options = server.Options with
        {
            Credential = HubCredential.FromCertificate(client),
            TimeProvider = time,
            ConnectCallback = (_, _) => throw new InvalidOperationException("must not connect"),
        };
        var error = await Should.ThrowAsync<CredentialException>(() => IoTHubSession.ConnectAsync(options).AsTask());
        error.Message.ShouldContain("client certificate");
    }

    [Fact]
    public async Task Connect_NeitherCredentialNorCertificate_IsRefused() =>
        await ShouldBeRefusedAsync(server.Options with { Credential = null }, "no credential");

    [Fact]
    public async Task Connect_TlsOptionsWithoutCertificateAlone_AreNoCredential() =>
        await ShouldBeRefusedAsync(server.Options with { Credential = null, Tls = new() }, "no credential");

    [Fact]
    public async Task Connect_CertificateTwice_IsRefused() =>
        await ShouldBeRefusedAsync(
            server.Options with
            {
                Credential = HubCredential.FromCertificate(client),
                Tls = new() { ClientCertificates = [client] },
            },
            "both have a client certificate"
        );

    [Fact]
    public async Task Connect_RootsBesideInjectedChainPolicy_AreRefused() =>
        await ShouldBeRefusedAsync(
            server.Options with
            {
                Tls = new() { CertificateChainPolicy = new() },
            },
            "whom to trust"
        );

    [Fact]
    public async Task Connect_RootsBesideInjectedValidation_AreRefused() =>
        await ShouldBeRefusedAsync(
            server.Options with
            {
                Tls = new() { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
            },
            "whom to trust"
        );

    private async Task ShouldShowTheCertificateAsync(HubSessionOptions options)
    {
        var (shown, connection) = await ConnectAsync(options);

        shown.ShouldBe(client.Thumbprint);
        connection.Connect!.Password.ShouldBeNull();
        connection.Connect.UserName!.ShouldStartWith("contoso.azure-devices.net/gateway/Module/?");
    }

    /// <summary>The thumbprint that the server saw, and its side of the connection, which is over.</summary>
    private async Task<(string? Shown, ScriptedConnection Connection)> ConnectAsync(HubSessionOptions options)
    {
        var accepting = server.AcceptAsync();
        var connecting = IoTHubSession.ConnectAsync(options).AsTask();
        var (tcp, tls) = await accepting;
        var connection = await TlsServer.WelcomeAsync(tcp, tls);
        await using var session = await connecting;
        session.CredentialExpiresOn.HasValue.ShouldBe(connection.Connect!.Password is not null);
        return ((tls.RemoteCertificate as X509Certificate2)?.Thumbprint, connection);
    }

    private static async Task ShouldBeRefusedAsync(HubSessionOptions options, string because)
    {
        var untouched = options with { ConnectCallback = (_, _) => throw new InvalidOperationException("connected") };
        var error = await Should.ThrowAsync<ArgumentException>(() => IoTHubSession.ConnectAsync(untouched).AsTask());
        error.Message.ShouldContain(because);
    }
}
