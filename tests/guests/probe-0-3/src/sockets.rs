//! `wasi:sockets`, in every way that leads out.

use wasip3::sockets::ip_name_lookup::resolve_addresses;
use wasip3::sockets::types::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket, UdpSocket,
};

pub async fn reach(way: &str, port: u16) -> Result<String, String> {
    if way == "look-up" {
        let found = resolve_addresses("localhost".to_owned()).await;
        return found.map(|_| "reached".to_owned()).map_err(|error| format!("{error:?}"));
    }
    let reached = match way.split_once('-') {
        Some(("tcp", how)) => tcp(how, port).await,
        Some(("udp", how)) => udp(how, port).await,
        _ => return Err(format!("no way: {way}")),
    };
    reached.map(|()| "reached".to_owned()).map_err(|error| format!("{error:?}"))
}

fn loopback(port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) })
}

async fn tcp(how: &str, port: u16) -> Result<(), ErrorCode> {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4)?;
    match how {
        "connect" => socket.connect(loopback(port)).await,
        "bind" => socket.bind(loopback(0)),
        // Without an address of its own, which the host would choose.
        _ => socket.listen().map(drop),
    }
}

async fn udp(how: &str, port: u16) -> Result<(), ErrorCode> {
    let socket = UdpSocket::create(IpAddressFamily::Ipv4)?;
    match how {
        "bind" => socket.bind(loopback(0)),
        "connect" => {
            socket.connect(loopback(port))?;
            socket.send(b"out".to_vec(), None).await
        }
        "send" => {
            socket.bind(loopback(0))?;
            socket.send(b"out".to_vec(), Some(loopback(port))).await
        }
        _ => socket.send(b"out".to_vec(), Some(loopback(port))).await,
    }
}
