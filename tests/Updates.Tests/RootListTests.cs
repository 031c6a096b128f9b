using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace EdgeDm.Updates.Tests;

public sealed class RootListTests
{
    private static readonly DateTimeOffset Published = DateTimeOffset.Parse("2026-01-31T12:00:00Z");

    private static TrustedRoots Both => TrustedRoots.Parse([TestKeys.Root.PublicJwk, TestKeys.OtherRoot.PublicJwk]);

    [Fact]
    public void Parse_WhatCreateAndSignMade_IsTheSameList()
    {
        var made = Create(3, disabledKeys: [TestKeys.Signer.Fingerprint]).SignedBy(TestKeys.Root);
        var read = RootList.Parse(made.ToBytes());
        read.Version.ShouldBe(3);
        read.Published.ShouldBe(Published);
        read.Trust.KeyIds.ShouldBe(Both.KeyIds);
        read.Trust.DisabledSigningKeys.ShouldBe([TestKeys.Signer.Fingerprint]);
        read.SignersAmong(Both).ShouldBe([TestKeys.Root.KeyId]);
        read.ToBytes().ShouldBe(made.ToBytes());
    }

    [Theory]
    [InlineData(1, null, false)]
    [InlineData(2, null, true)]
    [InlineData(0, 1, false)]
    [InlineData(1, 1, true)]
    [InlineData(1, 2, false)]
    [InlineData(2, 2, true)]
    [InlineData(2, 3, false)]
    public void RequireSignedBy_SignersAndNeed_Edge(int signers, int? needed, bool enough)
    {
        var list = Signed(signers);
        if (enough)
        {
            list.RequireSignedBy(Both, needed);
        }
        else
        {
            var error = Samples.Refused(() => list.RequireSignedBy(Both, needed));
            error.Code.ShouldBe(4013);
            error.Parameters["needed"].ShouldBe($"{needed ?? 2}");
        }
    }

    [Fact]
    public void RequireSignedBy_OneKeySignsTwice_CountsOnce() =>
        RefusedAsUnsigned(Create(1).SignedBy(TestKeys.Root).SignedBy(TestKeys.Root), Both, 2);

    [Fact]
    public void RequireSignedBy_OneKeyUnderTwoNames_CountsOnce()
    {
        var jwk = TestKeys.Root.PublicJwk;
        var twice = TrustedRoots.Parse([jwk, jwk.Replace(TestKeys.Root.KeyId, "again")]);
        twice.Count.ShouldBe(1);
        RefusedAsUnsigned(Create(1).SignedBy(TestKeys.Root), twice, 2);
    }

    [Fact]
    public void RequireSignedBy_HostThatTrustsNobody_RefusesAnyList()
    {
        RefusedAsUnsigned(Create(1), TrustedRoots.None, null);
        RefusedAsUnsigned(Signed(2), TrustedRoots.None, null);
    }

    [Fact]
    public void RequireSignedBy_DisabledRoots_DoNotCount()
    {
        var present = Create(1, disabledRoots: [TestKeys.OtherRoot.KeyId]).Trust;
        present.Count.ShouldBe(1);
        RefusedAsUnsigned(Create(2).SignedBy(TestKeys.OtherRoot), present, 1);
        Create(2).SignedBy(TestKeys.Root).RequireSignedBy(present, null);
    }

    [Fact]
    public void Parse_IndentedDocument_KeepsItsSignatures()
    {
        var list = Signed(2);
        var indented = JsonNode.Parse(list.ToBytes())!.ToJsonString(new() { WriteIndented = true });
        indented.ShouldContain('\n');
        RootList.Parse(Samples.Bytes(indented)).RequireSignedBy(Both, null);
    }

    [Fact]
    public void Parse_SpacesAndQuotesInAKeyId_BelongToWhatIsSigned()
    {
        var jwk = TestKeys.Root.PublicJwk.Replace(TestKeys.Root.KeyId, """a \"b\\ \u0041 é""");
        var list = RootList.Create(new(1, Published, [jwk], [], [])).SignedBy(TestKeys.Root);
        list.Trust.KeyIds.ShouldBe(["a \"b\\ A é"]);
        list.RequireSignedBy(TrustedRoots.Parse([jwk]), null);
        var changed = Encoding.UTF8.GetString(list.ToBytes()).Replace("a \\", "a  \\");
        RefusedAsUnsigned(RootList.Parse(Samples.Bytes(changed)), TrustedRoots.Parse([jwk]), null);
    }

    [Theory]
    [InlineData("\"version\":1", "\"version\":2")]
    [InlineData("\"published\":", "\"published\":1")]
    [InlineData("\"disabledRootKeys\":[]", "\"disabledRootKeys\":[\"x\"]")]
    public void RequireSignedBy_ContentChangedAfterSigning_IsRefused(string old, string changed) =>
        RefusedAsUnsigned(Edited(Signed(2), old, changed), Both, 1);

    [Fact]
    public void RequireSignedBy_MembersInAnotherOrder_IsRefused()
    {
        var document = JsonNode.Parse(Signed(2).ToBytes())!;
        var content = document["protected"]!.AsObject();
        var version = content["version"]!.DeepClone();
        content.Remove("version");
        content["version"] = version;
        RefusedAsUnsigned(RootList.Parse(Samples.Bytes(document.ToJsonString())), Both, 1);
    }

    [Fact]
    public void Parse_DeviceUpdatesOwnForm_IsRead()
    {
        // As its service writes it: members that mean nothing here, keys in its own order, signatures by position.
        var modulus = Base64Url.EncodeToString(TestKeys.RootRsa.ExportParameters(false).Modulus);
        var content =
            $$$$"""{"isTest":true,"version":2,"published":1675972876,"disabledRootKeys":["ADU.200703.R"],"disabledSigningKeys":[{"alg":"SHA256","hash":"{{{{TestKeys.Signer.Fingerprint}}}}"}],"rootKeys":{"ADU.200702.R":{"keyType":"RSA","n":"{{{{modulus}}}}","e":65537}}}""";
        var signature = TestKeys.RootRsa.SignData(
            Samples.Bytes(content),
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        );
        var list = RootList.Parse(
            Samples.Bytes(
                $$"""{"protected":{{content}},"signatures":[{"alg":"RS256","sig":"{{Base64Url.EncodeToString(signature)}}"}]}"""
            )
        );
        list.Version.ShouldBe(2);
        list.Trust.KeyIds.ShouldBe(["ADU.200702.R"]);
        list.Trust.DisabledRootKeys.ShouldBe(["ADU.200703.R"]);
        list.RequireSignedBy(TestKeys.Roots, null);
    }

    [Theory]
    [InlineData("\"version\":1", "\"version\":0")]
    [InlineData("\"version\":1", "\"version\":-1")]
    [InlineData("\"version\":1", "\"version\":\"1\"")]
    [InlineData("\"version\":1", "\"version\":1,\"version\":2")]
    [InlineData("\"version\"", "\"versions\"")]
    [InlineData("\"published\"", "\"publish\"")]
    [InlineData("\"rootKeys\"", "\"keys\"")]
    [InlineData("\"disabledRootKeys\"", "\"x\"")]
    [InlineData("\"disabledSigningKeys\"", "\"x\"")]
    [InlineData("\"disabledSigningKeys\":[]", "\"disabledSigningKeys\":[{\"alg\":\"SHA256\",\"hash\":\"AAAA\"}]")]
    [InlineData("\"disabledSigningKeys\":[]", "\"disabledSigningKeys\":[{\"alg\":\"SHA1\",\"hash\":\"AAAA\"}]")]
    [InlineData("65537", "3")]
    [InlineData("65537", "\"AQAB\"")]
    [InlineData("\"RSA\"", "\"EC\"")]
    [InlineData("\"n\":\"", "\"n\":\"!")]
    [InlineData("\"signatures\":[]", "\"signatures\":[{\"alg\":\"RS256\"}]")]
    [InlineData("\"signatures\":[]", "\"signatures\":[{\"alg\":\"RS256\",\"sig\":\"!\"}]")]
    [InlineData("\"protected\"", "\"protect\"")]
    public void Parse_WrongForm_IsMalformed(string old, string wrong) =>
        Samples.Refused(() => Edited(Create(1), old, wrong)).Code.ShouldBe(4012);

    [Theory]
    [InlineData("none")]
    [InlineData("RS512")]
    public void Parse_SignatureOfAnotherAlgorithm_IsRefused(string algorithm) =>
        Samples.Refused(() => Edited(Signed(1), "RS256", algorithm)).Code.ShouldBe(4003);

    [Fact]
    public void Parse_ListThatTrustsNoKey_IsMalformed()
    {
        Samples.Refused(() => RootList.Create(new(1, Published, [], [], []))).Code.ShouldBe(4012);
        Samples
            .Refused(() => Create(1, disabledRoots: [TestKeys.Root.KeyId, TestKeys.OtherRoot.KeyId]))
            .Code.ShouldBe(4012);
    }

    [Theory]
    [InlineData(RootList.MaxDisabledKeys, true)]
    [InlineData(RootList.MaxDisabledKeys + 1, false)]
    public void Create_DisabledKeys_Edge(int count, bool accepted)
    {
        var keyIds = Enumerable.Range(0, count).Select(i => $"k{i}").ToArray();
        if (accepted)
        {
            Create(1, disabledRoots: keyIds).Trust.DisabledRootKeys.Count().ShouldBe(count);
        }
        else
        {
            Samples.Refused(() => Create(1, disabledRoots: keyIds)).Code.ShouldBe(4012);
        }
    }

    [Theory]
    [InlineData(RootList.MaxSignatures, true)]
    [InlineData(RootList.MaxSignatures + 1, false)]
    public void Parse_Signatures_Edge(int count, bool accepted)
    {
        var signatures = string.Join(',', Enumerable.Repeat("""{"alg":"RS256","sig":"AAAA"}""", count));
        RootList Read() => Edited(Create(1), "\"signatures\":[]", $"\"signatures\":[{signatures}]");
        if (accepted)
        {
            Read().SignatureCount.ShouldBe(count);
        }
        else
        {
            Samples.Refused(() => Read()).Code.ShouldBe(4012);
        }
    }

    [Theory]
    [InlineData(RootList.MaxBytes, true)]
    [InlineData(RootList.MaxBytes + 1, false)]
    public void Parse_Bytes_Edge(int length, bool accepted)
    {
        var bytes = Create(1).ToBytes();
        byte[] padded = [.. bytes, .. Enumerable.Repeat((byte)' ', length - bytes.Length)];
        if (accepted)
        {
            RootList.Parse(padded).Version.ShouldBe(1);
        }
        else
        {
            Samples.Refused(() => RootList.Parse(padded)).Code.ShouldBe(1007);
        }
    }

    [Fact]
    public void MaxBytes_TheLargestList_Fits()
    {
        using var key = RSA.Create(4096);
        string Jwk(int i) =>
            $$"""{"kty":"RSA","n":"{{Base64Url.EncodeToString(key.ExportParameters(false).Modulus)}}","e":"AQAB","kid":"{{i:D128}}"}""";
        var list = RootList.Create(
            new(
                long.MaxValue,
                Published,
                [.. Enumerable.Range(0, TrustedRoots.MaxRoots).Select(Jwk)],
                [.. Enumerable.Range(0, RootList.MaxDisabledKeys).Select(i => $"{i:D128}x"[1..])],
                [
                    .. Enumerable
                        .Range(0, RootList.MaxDisabledKeys)
                        .Select(i => Base64Url.EncodeToString(SHA256.HashData([(byte)i]))),
                ]
            )
        );
        var signature = Base64Url.EncodeToString(new byte[512]);
        var signatures = string.Join(
            ',',
            Enumerable.Repeat($$"""{"alg":"RS256","sig":"{{signature}}"}""", RootList.MaxSignatures)
        );
        Edited(list, "\"signatures\":[]", $"\"signatures\":[{signatures}]")
            .SignatureCount.ShouldBe(RootList.MaxSignatures);
    }

    [Fact]
    public void Verify_UnderAList_DisabledKeysAreRevoked()
    {
        var manifest = Samples.Bytes(Samples.DeviceUpdate);
        var jws = ManifestSignature.Sign(manifest, TestKeys.Signer);
        ManifestSignature.Verify(manifest, jws, Create(1).Trust).RootKeyId.ShouldBe(TestKeys.Root.KeyId);
        Samples
            .Refused(() =>
                ManifestSignature.Verify(manifest, jws, Create(1, disabledRoots: [TestKeys.Root.KeyId]).Trust)
            )
            .Code.ShouldBe(4011);
        foreach (var hash in new[] { TestKeys.Signer.Fingerprint, StandardBase64(TestKeys.Signer.Fingerprint) })
        {
            Samples
                .Refused(() => ManifestSignature.Verify(manifest, jws, Create(1, disabledKeys: [hash]).Trust))
                .Code.ShouldBe(4011);
        }
    }

    private static RootList Create(long version, string[]? disabledRoots = null, string[]? disabledKeys = null) =>
        RootList.Create(
            new(
                version,
                Published,
                [TestKeys.Root.PublicJwk, TestKeys.OtherRoot.PublicJwk],
                [.. disabledRoots ?? []],
                [.. disabledKeys ?? []]
            )
        );

    /// <summary>Version 1, signed by so many of the two.</summary>
    private static RootList Signed(int signers) =>
        new[] { TestKeys.Root, TestKeys.OtherRoot }
            .Take(signers)
            .Aggregate(Create(1), (list, key) => list.SignedBy(key));

    private static RootList Edited(RootList list, string old, string wrong)
    {
        var text = Encoding.UTF8.GetString(list.ToBytes());
        text.ShouldContain(old);
        return RootList.Parse(Samples.Bytes(text.Replace(old, wrong)));
    }

    private static void RefusedAsUnsigned(RootList list, TrustedRoots present, int? needed) =>
        Samples.Refused(() => list.RequireSignedBy(present, needed)).Code.ShouldBe(4013);

    private static string StandardBase64(string base64Url) =>
        Convert.ToBase64String(Base64Url.DecodeFromChars(base64Url));
}
