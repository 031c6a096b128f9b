using EdgeDm.HostAccess.Hosts.Linux.DBus;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux.DBus;

/// <summary>Bytes and values. What a real bus makes of them is in <see cref="DBusClientTests"/>.</summary>
public sealed class DBusCodecTests
{
    private const int MostMutants = 20_000;

    private static readonly DBusLimits Limits = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Write_TextsOfTheSpecification_AreItsBytes(bool bigEndian)
    {
        // D-Bus Specification, "Marshalling Basic Types": 'foo', '+', 'bar'.
        var writer = new DBusWriter(Limits, bigEndian);
        foreach (var text in new[] { "foo", "+", "bar" })
        {
            writer.Write(DBusType.ParseOne("s"), text);
        }
        var expected = Convert.FromHexString("00000003666F6F00000000012B00000000000003626172" + "00");
        Swap(writer.ToArray(), bigEndian, 0, 8, 16).ShouldBe(expected);
    }

    [Fact]
    public void Write_ArrayOfTheSpecification_IsItsBytes()
    {
        // D-Bus Specification, "Marshalling Container Types": the array of 64-bit integers [5].
        var writer = new DBusWriter(Limits, bigEndian: true);
        writer.Write(DBusType.ParseOne("ax"), new object[] { 5L });
        Convert.ToHexString(writer.ToArray()).ShouldBe("00000008000000000000000000000005");
    }

    [Fact]
    public void Encode_AnyValues_DecodeInBothByteOrders() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(1_000),
            Prop.ForAll<int, bool>(
                (seed, bigEndian) =>
                {
                    var message = new RandomValues(new Random(seed)).Message();
                    var bytes = DBusCodec.Encode(message, Limits, bigEndian);
                    DBusCodec.LengthOf(bytes, Limits).ShouldBe(bytes.Length);
                    var read = DBusCodec.Decode(bytes, Limits);
                    (read with { Body = [] }).ShouldBe(message with { Body = [] });
                    RandomValues.Show(read.Body).ShouldBe(RandomValues.Show(message.Body));
                }
            )
        );

    [Fact]
    public void Decode_AnyBytes_AreAMessageOrRefused() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll<byte[]>(bytes => DecodeAny(bytes)));

    [Fact]
    public void Decode_MutatedMessages_AreAMessageOrRefused()
    {
        var random = new Random(20_261_121);
        for (var round = 0; round < MostMutants; round++)
        {
            var bytes = DBusCodec.Encode(new RandomValues(random).Message(), Limits, round % 2 == 0);
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            DecodeAny(random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes);
        }
    }

    [Theory]
    [InlineData("h", "file descriptor")]
    [InlineData("ah", "file descriptor")]
    [InlineData("(", "ends|lacks")]
    [InlineData("()", "empty structure")]
    [InlineData("a", "ends too early")]
    [InlineData("a{vs}", "no basic type")]
    [InlineData("{ss}", "'{' where a type begins")]
    [InlineData("a{s}", "where a type begins")]
    [InlineData("a{sss}", "lacks a '}'")]
    [InlineData("z", "'z' where a type begins")]
    public void ParseAll_WhatIsNoSignature_IsRefused(string signature, string why) =>
        Should.Throw<DBusFormatException>(() => DBusType.ParseAll(signature)).Message.ShouldMatch(why);

    [Fact]
    public void ParseAll_LengthAndDepthAtTheirEdges_AreTakenAndOneMoreIsNot()
    {
        DBusType.ParseAll(new('y', DBusType.LongestSignature)).Length.ShouldBe(255);
        Should.Throw<DBusFormatException>(() => DBusType.ParseAll(new('y', DBusType.LongestSignature + 1)));
        var deep = new string('a', DBusType.DeepestSignature);
        DBusType.ParseAll(deep + "y").ShouldHaveSingleItem();
        Should.Throw<DBusFormatException>(() => DBusType.ParseAll(deep + "ay"));
        var nested = new string('(', DBusType.DeepestSignature);
        DBusType.ParseAll(nested + "y" + nested.Replace('(', ')')).ShouldHaveSingleItem();
        Should.Throw<DBusFormatException>(() => DBusType.ParseAll($"({nested}y{nested.Replace('(', ')')})"));
    }

    [Fact]
    public void Values_AtTheDepthLimit_AreTakenAndOneDeeperIsNot()
    {
        var limits = Limits with { MaxDepth = 3 };
        var deepest = Nest(3);
        var bytes = DBusCodec.Encode(Of("v", deepest), limits);
        DBusCodec.Decode(bytes, limits).Body.ShouldBe([deepest]);
        Should.Throw<DBusFormatException>(() => DBusCodec.Encode(Of("v", Nest(4)), limits));
        Should.Throw<DBusFormatException>(() => DBusCodec.Decode(DBusCodec.Encode(Of("v", Nest(4)), Limits), limits));
    }

    [Fact]
    public void Array_AtItsLimit_IsTakenAndOneByteMoreIsNot()
    {
        var limits = Limits with { MaxArray = 100 };
        var bytes = DBusCodec.Encode(Of("ay", new byte[100]), limits);
        DBusCodec.Decode(bytes, limits).Read<byte[]>().Length.ShouldBe(100);
        Should.Throw<DBusFormatException>(() => DBusCodec.Encode(Of("ay", new byte[101]), limits));
        var longer = DBusCodec.Encode(Of("ay", new byte[101]), Limits);
        Should.Throw<DBusFormatException>(() => DBusCodec.Decode(longer, limits));
    }

    [Fact]
    public void Message_AtItsLimit_IsTakenAndOneByteMoreIsNot()
    {
        var message = Of("ay", new byte[100]);
        var length = DBusCodec.Encode(message, Limits).Length;
        var limits = Limits with { MaxMessage = length };
        DBusCodec.LengthOf(DBusCodec.Encode(message, limits), limits).ShouldBe(length);
        Should.Throw<DBusFormatException>(() => DBusCodec.Encode(Of("ay", new byte[101]), limits));
        var longer = DBusCodec.Encode(Of("ay", new byte[101]), Limits);
        Should.Throw<DBusFormatException>(() => DBusCodec.LengthOf(longer, limits));
    }

    [Theory]
    [InlineData("s", 1)]
    [InlineData("as", "text")]
    [InlineData("o", "no/path")]
    [InlineData("(ss)", "text")]
    [InlineData("s", "with \0 in it")]
    public void Encode_ValueThatIsNotWhatItsTypeSays_IsTheCallersError(string signature, object value) =>
        Should.Throw<ArgumentException>(() => DBusCodec.Encode(Of(signature, value), Limits));

    [Theory]
    [InlineData("/", true)]
    [InlineData("/a/b_9", true)]
    [InlineData("", false)]
    [InlineData("a", false)]
    [InlineData("//", false)]
    [InlineData("/a/", false)]
    [InlineData("/a//b", false)]
    [InlineData("/a-b", false)]
    public void IsPath_ByTheSpecification_IsToldApart(string text, bool isPath) =>
        DBusNames.IsPath(text).ShouldBe(isPath);

    private static DBusVariant Nest(int depth) => depth == 1 ? new("y", (byte)1) : new("v", Nest(depth - 1));

    private static DBusMessage Of(string signature, params object[] body) =>
        new(DBusMessageKind.Call)
        {
            Serial = 1,
            Path = "/",
            Member = "M",
            Signature = signature,
            Body = body,
        };

    /// <summary>The lengths at these places in the other byte order.</summary>
    private static byte[] Swap(byte[] bytes, bool bigEndian, params int[] places)
    {
        foreach (var place in bigEndian ? [] : places)
        {
            Array.Reverse(bytes, place, 4);
        }
        return bytes;
    }

    private static void DecodeAny(byte[] bytes)
    {
        try
        {
            if (bytes.Length >= DBusCodec.HeadLength && DBusCodec.LengthOf(bytes, Limits) == bytes.Length)
            {
                DBusCodec.Decode(bytes, Limits);
            }
        }
        catch (DBusFormatException)
        {
            // Refused: the one thing that may happen to what is no message.
        }
    }
}
