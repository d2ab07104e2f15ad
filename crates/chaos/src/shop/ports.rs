//! Where everything listens.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use testkit::free_port;

use super::SERVICES;

/// Of one replica.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listens {
    pub grpc: u16,
    pub http: u16,
    pub private: u16,
}

pub(super) struct Ports {
    /// By service, one for each replica.
    pub services: BTreeMap<&'static str, Vec<Listens>>,
    pub simulator: u16,
    pub simulator_private: u16,
}

impl Ports {
    pub(super) fn choose(replicas: usize) -> Self {
        let listens = || Listens {
            grpc: free_port(),
            http: free_port(),
            private: free_port(),
        };
        let of_service = |service| (service, (0..replicas).map(|_| listens()).collect());
        Self {
            services: SERVICES.map(of_service).into(),
            simulator: free_port(),
            simulator_private: free_port(),
        }
    }
}

pub(super) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
